//! `edb plot`, and files as a source.

use std::fs::File;
use std::process::Stdio;

use crate::world::{Run, World, finish};

const HOUR: [&str; 4] = ["--start", "2024-03-01T05:00", "--stop", "2024-03-01T06:00"];

fn plot(world: &World, words: &[&str]) -> Run {
    world.edb(&[&["plot", "--source", "sample", "--progress", "never"][..], words, &HOUR].concat())
}

fn read(world: &World, name: &str) -> String {
    std::fs::read_to_string(world.path(name)).unwrap()
}

/// The texts of an SVG.
fn texts(world: &World, name: &str) -> Vec<String> {
    let svg = read(world, name);
    let texts = svg.split("<text ").skip(1).filter_map(|text| text.split_once('>')?.1.split_once("</text>"));
    texts.map(|(text, _)| text.trim().to_owned()).collect()
}

#[test]
fn a_figure_says_what_it_shows_where_it_is_from_and_when_it_was_drawn() {
    let world = World::new();
    let words =
        ["SAMPLE_PANEL_TEMP", "-o", "a.svg", "--yellow", "20.7..21.3", "--nominal", "21", "--clock", "doy"];
    let run = plot(&world, &words).succeeded();
    let found = texts(&world, "a.svg");
    for text in [
        "SAMPLE_PANEL_TEMP \u{2013} electronics panel temperature (synthetic) (C)",
        "2024:061:05:00:00 to 2024:061:06:00:00",
        "nominal 21",
        "yellow 20.7 … 21.3",
        "UTC, year:day of year",
        "C",
    ] {
        assert!(found.iter().any(|other| other == text), "{text}: {found:?}");
    }
    let footer = found.last().unwrap();
    assert!(footer.contains("source: synthetic sample") && footer.contains("drawn on 20"), "{footer}");
    assert!(run.stderr.contains("samples are beyond yellow limits"), "{run:?}");
    assert!(
        read(&world, "a.svg").contains("proven: SAMPLE_PANEL_TEMP@2024-03-01T05:00:00Z/2024-03-01T06:00:00Z")
    );
}

#[test]
fn statistics_deviations_histograms_and_phases_are_asked_for_by_flags() {
    let world = World::new();
    let words = ["SAMPLE_MOTOR_VOLT", "SAMPLE_PANEL_TEMP", "-o", "a.svg", "-o", "b.png", "-o", "c.html"];
    let more =
        ["--resample", "5m", "--envelope", "std", "--samples", "--show", "time,deviation,histogram,phase"];
    plot(&world, &[&words[..], &more].concat()).succeeded();
    let found = texts(&world, "a.svg");
    for text in [
        "SAMPLE_MOTOR_VOLT mean of 5m, ± standard deviation",
        "SAMPLE_PANEL_TEMP \u{2212} mean of 5m",
        "samples",
        "SAMPLE_PANEL_TEMP over SAMPLE_MOTOR_VOLT",
    ] {
        assert!(found.iter().any(|other| other == text), "{text}: {found:?}");
    }
    let page = read(&world, "c.html");
    assert!(
        page.contains("Permission is hereby granted, free of charge") && page.contains("uPlot (v1.6.32)")
    );
    assert!(!page.contains("{{") && page.contains("\"kind\":\"phase\""));
    let outside = page.match_indices("http").map(|(at, _)| &page[at..at + 40]);
    let outside: Vec<&str> = outside
        .filter(|link| !link.contains("github.com/leeoniya") && !link.starts_with("http-equiv"))
        .collect();
    assert!(outside.is_empty(), "{outside:?}");
}

#[test]
fn conditions_and_derived_quantities_come_before_figures() {
    let world = World::new();
    let words = [
        "SAMPLE_MOTOR_VOLT",
        "--derive",
        "double = SAMPLE_MOTOR_VOLT * 2",
        "--where",
        "SAMPLE_WHEEL_POS = 'F560W'",
    ];
    plot(&world, &[&words[..], &["-o", "a.svg"]].concat()).succeeded();
    let found = texts(&world, "a.svg");
    assert!(
        found.iter().any(|text| text == "DOUBLE")
            && !found.iter().any(|text| text.starts_with("SAMPLE_WHEEL")),
        "{found:?}"
    );
    let footer = found.last().unwrap();
    assert!(footer.starts_with("where SAMPLE_WHEEL_POS = "), "{footer}");
    let svg = read(&world, "a.svg");
    assert!(
        svg.contains("derived: DOUBLE = SAMPLE_MOTOR_VOLT * 2")
            && svg.contains("where: SAMPLE_WHEEL_POS = 'F560W'")
    );
}

#[test]
fn a_figure_description_says_what_flags_say_panel_by_panel() {
    let world = World::new();
    world.write(
        "figure.toml",
        r#"
        title = "Twice"
        clock = "mjd"
        [default]
        resample = "10m"
        [[panel]]
        heading = "First"
        select = ["SAMPLE_PANEL_TEMP"]
        limits.SAMPLE_PANEL_TEMP = { nominal = 21.0 }
        [[panel]]
        select = ["SAMPLE_MOTOR_VOLT", "POWER"]
        derive = ["POWER = SAMPLE_MOTOR_VOLT * 3"]
        envelope = "none"
        "#,
    );
    plot(&world, &["--figure", "figure.toml", "-o", "a.svg", "--clock", "doy"]).succeeded();
    let found = texts(&world, "a.svg");
    for text in [
        "Twice",
        "First",
        "nominal 21",
        "SAMPLE_PANEL_TEMP mean of 10m, min to max",
        "POWER mean of 10m",
        "UTC, year:day of year",
    ] {
        assert!(found.iter().any(|other| other == text), "{text}: {found:?}");
    }
    // The same words in a job file.
    world.write(
        "job.toml",
        r#"
        source = "sample"
        start = "2024-03-01T05:00"
        stop = "2024-03-01T06:00"
        select = ["SAMPLE_PANEL_TEMP", "SAMPLE_MOTOR_VOLT"]
        [[output]]
        file = "b.svg"
        figure = "figure.toml"
        [[output]]
        file = "c.svg"
        where = "SAMPLE_MOTOR_VOLT > 0.2"
        figure = { theme = "dark", default = { show = ["histogram"], by = "mnemonic" } }
        "#,
    );
    world.edb(&["run", "job.toml", "--progress", "never"]).succeeded();
    assert!(texts(&world, "b.svg").contains(&"MJD (UTC)".to_owned()));
    assert!(
        read(&world, "c.svg").contains("#121418") && texts(&world, "c.svg").contains(&"samples".to_owned())
    );
}

#[test]
fn entries_of_the_monitor_are_panels() {
    let world = World::new();
    world.write(
        "monitor.json",
        r#"{"time_interval": [{"name": "SAMPLE_PANEL_TEMP", "database_id": "PANEL_COLD", "description": "panel, while cold",
            "dependency": [{"name": "SAMPLE_PANEL_TEMP", "relation": "<", "threshold": 21}], "plot_data": "nominal,max,min",
            "nominal_value": 20.8, "yellow_limits": [20, 22], "plot_category": "Temperatures", "mean_time_block": "5_minutes"}],
          "all": [{"name": "SAMPLE_MOTOR_VOLT", "dependency": [], "plot_data": "*SAMPLE_PANEL_TEMP", "plot_category": "Power"}]}"#,
    );
    plot(&world, &["--monitor", "monitor.json", "-o", "a.svg"]).succeeded();
    let found = texts(&world, "a.svg");
    for text in [
        "Temperatures \u{2013} PANEL_COLD: panel, while cold",
        "SAMPLE_PANEL_TEMP clipped median of 300s, min to max",
        "nominal 20.8",
        "SAMPLE_MOTOR_VOLT_X_SAMPLE_PANEL_TEMP",
    ] {
        assert!(found.iter().any(|other| other == text), "{text}: {found:?}");
    }
    plot(&world, &["--monitor", "monitor.json", "--entry", "Power", "-o", "b.svg"]).succeeded();
    assert!(!texts(&world, "b.svg").iter().any(|text| text.starts_with("Temperatures")));
}

#[test]
fn every_entry_of_the_monitor_s_own_files_can_be_planned() {
    let Some(shared) = edb_testkit::shared_data() else { return };
    let folder = shared.join("jwql");
    let mut panels = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let words = edb_job::FigureWords::from_monitor(&path, &[])
            .unwrap_or_else(|error| panic!("{}: {}", path.display(), error.chain()));
        let figure = words.plan(edb::plot::Format::Svg, edb::Instant::MIN).unwrap();
        panels += figure.panels.len();
    }
    // 71 of MIRI, 221 of NIRCam.
    assert_eq!(panels, 292);
}

#[test]
fn files_are_a_source_of_what_they_were_made_from() {
    let world = World::new();
    let export = |words: &[&str]| {
        world.edb(&[&["export", "--progress", "never", "--quiet"][..], words].concat()).succeeded()
    };
    let names = ["SAMPLE_DETECTOR_ID", "SAMPLE_EVENT_MSG", "SAMPLE_PANEL_TEMP", "SAMPLE_WHEEL_POS"];
    let select = [&["--source", "sample"][..], &names, &HOUR].concat();
    export(&[&select[..], &["-o", "a.parquet", "-o", "a.csv", "-o", "a.ecsv"]].concat());
    let truth = export(&[&select[..], &["--no-comments"]].concat()).stdout;
    for file in ["a.parquet", "a.csv", "a.ecsv"] {
        let again = export(&["--source", file, "--no-comments"]).stdout;
        assert!(again == truth, "{file}: {} and {} bytes", again.len(), truth.len());
        let ranges = &["--start", "2024-03-01T05:00", "--stop", "2024-03-01T06:00"];
        let ranged = export(&[&["--source", file, "--no-comments"][..], ranges].concat()).stdout;
        assert!(ranged == truth, "{file} over its own range");
        world.edb(&["plot", "--source", file, "SAMPLE_*_TEMP", "-o", "a.svg"]).succeeded();
        let found = texts(&world, "a.svg");
        assert!(
            found.contains(&"C".to_owned()) && !found.iter().any(|text| text.starts_with("SAMPLE_WHEEL")),
            "{file}: {found:?}"
        );
    }
    let stdin = File::open(world.path("a.csv")).unwrap();
    let mut command = world.command();
    command.args(["export", "--source", "-", "--no-comments", "--quiet"]).stdin(Stdio::from(stdin));
    assert!(finish(&mut command).succeeded().stdout == truth);

    // A folder of raw files, of tables of other shapes, and of what is neither.
    world
        .edb(
            &[&["fetch", "SAMPLE_MOTOR_VOLT", "--source", "sample", "--folder", "all", "--quiet"][..], &HOUR]
                .concat(),
        )
        .succeeded();
    export(&[&select[..], &["--resample", "10m", "-o", "all/bins.csv"]].concat());
    world.write("all/notes.txt", "nothing");
    let folder = export(&["--source", "all", "--no-comments"]).stdout;
    for name in ["SAMPLE_MOTOR_VOLT", "SAMPLE_PANEL_TEMP_MEAN", "SAMPLE_PANEL_TEMP_COUNT"] {
        assert!(folder.contains(&format!(",{name},")), "{name}");
    }
    assert_eq!(
        world.edb(&["export", "--source", "a.csv", "SAMPLE_FINE_X", "--quiet"]).code,
        4,
        "it is not there"
    );
}

#[test]
fn what_cannot_be_drawn_is_refused_with_code_2() {
    let world = World::new();
    world.write("unknown.toml", "colour = 3\n");
    world.write("empty.csv", "");
    for (words, expected) in [
        (&["SAMPLE_PANEL_TEMP", "--theme", "grey"][..], "there is no theme `grey`"),
        (&["SAMPLE_PANEL_TEMP", "--show", "pie"], "there is no panel `pie`"),
        (&["SAMPLE_PANEL_TEMP", "--envelope", "std"], "--resample"),
        (&["SAMPLE_PANEL_TEMP", "--yellow", "3..1"], "could not read `3..1` as limits"),
        (&["SAMPLE_PANEL_TEMP", "--nominal", "x"], "nominal value"),
        (&["SAMPLE_PANEL_TEMP", "--figure", "unknown.toml"], "colour"),
        (&["SAMPLE_PANEL_TEMP", "--entry", "Power"], "--monitor"),
        (&["SAMPLE_PANEL_TEMP", "--show", "deviation"], "deviates: from what?"),
        (&["SAMPLE_PANEL_TEMP", "--show", "phase"], "expected two"),
        (&["SAMPLE_WHEEL_POS", "SAMPLE_PANEL_TEMP", "--show", "phase"], "its values are texts"),
        (&["SAMPLE_PANEL_TEMP", "--dpi", "0"], "dots per inch"),
        (&["SAMPLE_PANEL_TEMP", "--width", "10"], "expected at least 320"),
        (&["SAMPLE_PANEL_TEMP", "--source", "empty.csv"], "no line with the names of columns"),
    ] {
        let has_source = words.contains(&"--source");
        let source = if has_source { &[][..] } else { &["--source", "sample"] };
        let run =
            world.edb(&[&["plot", "-o", "a.svg", "--progress", "never"][..], source, words, &HOUR].concat());
        assert_eq!(run.code, 2, "{words:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
        assert!(!world.path("a.svg").exists());
    }
}

/// The words of a command line: blanks part them, quotes hold them together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for character in line.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_commands_beside_the_figures_of_the_examples_draw_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let page = std::fs::read_to_string(folder.join("figures.md")).unwrap();
    let description = std::fs::read_to_string(folder.join("figures/wheel.toml")).unwrap();
    let world = World::new();
    world.write("examples/figures/wheel.toml", &description);
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let commands =
        blocks.map(|(block, _)| block.replace("\\\n", " ")).filter(|block| block.contains("--source sample"));
    let mut drawn = 0;
    for command in commands {
        let words = words(command.trim());
        assert_eq!(words[0], "edb", "{command}");
        let mut arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        arguments.push("--quiet");
        world.edb(&arguments).succeeded();
        let file = arguments[arguments.iter().position(|word| *word == "-o").unwrap() + 1];
        assert!(world.path(file).exists(), "{command}");
        drawn += 1;
        let shown = format!("(figures/{})", file.replace(".html", ".png"));
        assert!(
            page.contains(&shown) && folder.join("figures").join(file.replace(".html", ".png")).exists(),
            "{shown}"
        );
    }
    assert_eq!(drawn, 7);
}
