//! Conditions, derived quantities, statistics and other tables through the binary, on the built-in sample.

use crate::world::World;

const RANGE: [&str; 5] =
    ["--source", "sample", "--start=2024-03-01T04:00", "--stop=2024-03-01T10:00", "--quiet"];

/// The rows of a CSV table on stdout, without its remarks: the header first.
fn rows(stdout: &str) -> Vec<Vec<String>> {
    let rows = stdout.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn table(world: &World, words: &[&str]) -> Vec<Vec<String>> {
    let words: Vec<&str> = words.iter().copied().chain(RANGE).collect();
    rows(&world.edb(&words).succeeded().stdout)
}

fn column(table: &[Vec<String>], name: &str) -> Vec<String> {
    let at = table[0]
        .iter()
        .position(|found| found == name)
        .unwrap_or_else(|| panic!("no {name} in {:?}", table[0]));
    table[1..].iter().map(|row| row[at].clone()).collect()
}

const HEATER_ON: &str = "SAMPLE_HEATER_STATE = 'ON'";

#[test]
fn blocks_of_a_condition_are_told_and_are_a_list_for_the_next_command() {
    let world = World::new();
    let blocks = table(
        &world,
        &["stats", "SAMPLE_PANEL_TEMP", "--by", "block", "--where", HEATER_ON, "--statistics", "count,mean"],
    );
    assert_eq!(blocks[0], ["time", "stop", "mnemonic", "count", "mean"]);
    assert_eq!(column(&blocks, "count"), ["616", "595"]);
    assert_eq!(
        column(&blocks, "stop")[0],
        "2024-03-01T05:24:02.048000Z",
        "the first sample that does not meet it"
    );

    for file in ["on.csv", "on.parquet"] {
        let words = ["export", "SAMPLE_PANEL_TEMP", "--where", HEATER_ON, "--table", "intervals", "-o", file];
        world.edb(&[&words[..], &RANGE[..]].concat()).succeeded();
        let within =
            ["stats", "SAMPLE_PANEL_TEMP", "--by", "block", "--within", file, "--statistics", "count,mean"];
        assert_eq!(table(&world, &within), blocks, "{file}");
    }
    let of = |words: &[&str]| {
        column(
            &table(&world, &[&["stats", "SAMPLE_PANEL_TEMP", "--statistics", "count"], words].concat()),
            "count",
        )
    };
    assert_eq!(of(&[]), ["2637"]);
    assert_eq!(of(&["--where", HEATER_ON]), ["1211"], "one row for the range that was asked");
    assert_eq!(of(&["--without", "on.csv"]), ["1426"], "the rest");
    assert_eq!(of(&["--where", HEATER_ON, "--ignore-edges", "2/1"]), ["1205"]);
    assert_eq!(
        of(&["--where", HEATER_ON, "--pad", "1m"]),
        ["1234"],
        "three edges inside the range, 7 or 8 samples each"
    );
    assert_eq!(of(&["--where", "SAMPLE_HEATER_STATE = 'BROKEN'"]), Vec::<String>::new());
}

#[test]
fn what_only_serves_a_condition_is_not_in_the_table() {
    let world = World::new();
    let words = ["export", "SAMPLE_PANEL_TEMP", "--where", HEATER_ON];
    let long = table(&world, &words);
    assert_eq!(long.len(), 1212);
    assert!(column(&long, "mnemonic").iter().all(|name| name == "SAMPLE_PANEL_TEMP"));
    let both = table(&world, &["export", "SAMPLE_PANEL_TEMP", "SAMPLE_HEATER_STATE", "--where", HEATER_ON]);
    assert!(column(&both, "mnemonic").iter().any(|name| name == "SAMPLE_HEATER_STATE"));
    let run = world.edb(&[&words[..], &RANGE[..]].concat()).succeeded().stdout;
    for fact in [
        "# selected: SAMPLE_PANEL_TEMP@",
        "# needed: SAMPLE_HEATER_STATE@",
        "# where: SAMPLE_HEATER_STATE = 'ON'",
    ] {
        assert!(run.contains(fact), "{fact}");
    }
}

#[test]
fn what_serves_a_condition_is_asked_for_over_all_ranges() {
    let world = World::new();
    let run = world
        .edb(&[
            "stats",
            "SAMPLE_PANEL_TEMP@2024-03-01T04:00/2024-03-01T06:00",
            "SAMPLE_MOTOR_VOLT@2024-03-01T05:00/2024-03-01T07:00",
            "--where",
            HEATER_ON,
            "--statistics=count",
            "--source=sample",
            "--quiet",
        ])
        .succeeded()
        .stdout;
    assert!(
        run.contains("# needed: SAMPLE_HEATER_STATE@2024-03-01T04:00:00Z/2024-03-01T07:00:00Z"),
        "ranges that overlap are one: {run}"
    );
    assert_eq!(column(&rows(&run), "count"), ["616", "1767"]);
}

#[test]
fn quantities_are_derived_with_units_and_without_a_selection() {
    let world = World::new();
    let derive = "power = SAMPLE_MOTOR_VOLT ^ 2";
    let words = ["export", "--derive", derive, "--align", "1h", "--max-age", "learned", "--beside", "age"];
    let run = world.edb(&[&words[..], &RANGE[..]].concat()).succeeded().stdout;
    assert!(run.contains("# column POWER [V2]: SAMPLE_MOTOR_VOLT ^ 2"), "{run}");
    let table = rows(&run);
    assert_eq!((table.len(), table[0].join(" ")), (7, "time POWER POWER_age_s".to_owned()));
    assert_eq!(column(&table, "POWER_age_s")[0], "0.448");
}

#[test]
fn statistics_follow_the_calendar_and_other_tables_have_their_words() {
    let world = World::new();
    let months = table(
        &world,
        &["stats", "SAMPLE_MOTOR_VOLT", "--by", "1mo", "--statistics", "count,p05,clipped_std"],
    );
    assert_eq!(
        (column(&months, "time"), column(&months, "count")),
        (vec!["2024-03-01T00:00:00.000000Z".into()], vec!["18750".into()])
    );
    let duty = table(&world, &["stats", "SAMPLE_HEATER_STATE", "--table", "duty"]);
    assert_eq!(
        (column(&duty, "state"), column(&duty, "intervals")),
        (vec!["OFF".into(), "ON".into()], vec!["2".into(), "2".into()])
    );
    let states = table(&world, &["stats", "SAMPLE_HEATER_STATE", "--table", "states", "--complete-only"]);
    assert_eq!(column(&states, "state"), ["OFF", "ON"]);
    let flaws = table(
        &world,
        &["stats", "SAMPLE_MOTOR_VOLT", "--table", "flaws", "--limits", "SAMPLE_MOTOR_VOLT=-1..28.1"],
    );
    let found = column(&flaws, "flaw");
    assert!(found.contains(&"gap".to_owned()) && found.contains(&"outside limits".to_owned()), "{found:?}");
    let cadences = table(
        &world,
        &[
            "stats",
            "SAMPLE_FINE_X",
            "SAMPLE_HEATER_STATE",
            "--table",
            "cadences",
            "--change-only",
            "SAMPLE_HEATER_STATE",
        ],
    );
    assert_eq!(
        (column(&cadences, "cadence_s"), column(&cadences, "sampling")),
        (vec!["0.064".into(), String::new()], vec!["not known".into(), "change-only".into()])
    );
}

#[test]
fn the_event_log_is_told_and_filters() {
    let world = World::new();
    let line = |time: &str, message: &str| format!("2024-03-01 {time}.000000,60370.0,{message},varchar\r\n");
    let log = [
        line("03:59:00", "bracket"),
        line("05:00:00", "VISIT V01234001001 STARTED"),
        line("05:01:00", "Script activated: V01234001001P0000000001101:FGSMAIN"),
        line("05:02:00", "Script terminated: V01234001001P0000000001101:FGSMAIN:GS_ACQUIRED"),
        line("06:00:00", "\"VISIT V01234001001 ENDED, SSR ALMOST FULL\""),
        line("10:30:00", "bracket"),
    ]
    .concat();
    let name = "raw/ICTM_EVENT_MSG-20240301T040000-20240301T100000.csv";
    world.write(name, &format!("theTime,MJD,euvalue,sqldataType\r\n{log}"));
    world.edb(&["store", "import", "--store", "s", "raw"]).succeeded();
    world
        .edb(&[
            "sync",
            "SAMPLE_PANEL_TEMP",
            "--source=sample",
            "--store=s",
            "--start=2024-03-01T04:00",
            "--stop=2024-03-01T10:00",
        ])
        .succeeded();
    let offline =
        ["--source=store", "--store=s", "--start=2024-03-01T04:00", "--stop=2024-03-01T10:00", "--quiet"];
    let table = |words: &[&str]| rows(&world.edb(&[words, &offline[..]].concat()).succeeded().stdout);
    let visits = table(&["stats", "--table", "visits"]);
    assert_eq!(
        visits[1][2..].join(","),
        "3600.0,V01234001001,2024-03-01T05:01:00.000000Z,ended,SSR ALMOST FULL,0"
    );
    assert_eq!(column(&table(&["stats", "--table", "activities"]), "category"), ["guiding"]);
    let count = column(
        &table(&["stats", "SAMPLE_PANEL_TEMP", "--statistics=count", "--where", "visit V01234001001"]),
        "count",
    );
    assert_eq!(count, ["439"]);
    let words = ["stats", "--table", "visits", "-o", "visits.csv"];
    world.edb(&[&words[..], &offline[..]].concat()).succeeded();
    let within = table(&["stats", "SAMPLE_PANEL_TEMP", "--statistics=count", "--within", "visits.csv"]);
    assert_eq!(column(&within, "count"), count, "a table of visits is a list of intervals");
}

#[test]
fn a_job_file_has_the_same_words() {
    let world = World::new();
    world.write("wheel.csv", "start,stop\n2024-03-01T05:00,2024-03-01T06:00\n");
    let job = r#"
        source = "sample"
        start = "2024-03-01T04:00"
        stop = "2024-03-01T10:00"
        select = ["SAMPLE_PANEL_TEMP"]
        [[output]]
        file = "all.csv"
        [[output]]
        file = "rows.csv"
        derive = ["kelvin = SAMPLE_PANEL_TEMP + 273.15"]
        where = "SAMPLE_HEATER_STATE = 'ON'"
        pad = "0s/10s"
        within = "wheel.csv"
        [[output]]
        file = "states.csv"
        derive = ["kelvin = SAMPLE_PANEL_TEMP + 273.15"]
        where = "SAMPLE_HEATER_STATE = 'ON'"
        pad = "0s/10s"
        within = "wheel.csv"
        table = "states"
        [[output]]
        file = "bins.csv"
        derive = ["kelvin = SAMPLE_PANEL_TEMP + 273.15"]
        where = "SAMPLE_HEATER_STATE = 'ON'"
        pad = "0s/10s"
        within = "wheel.csv"
        resample = { every = "1h", statistics = ["count", "clipped_mean", "p95"], stamp = "centre", min_count = 2, sigma = 2.5 }
        [[output]]
        file = "aligned.csv"
        derive = ["kelvin = SAMPLE_PANEL_TEMP + 273.15"]
        align = { times = "10m", method = "hold", max_age = "10s", beside = "time", exceptions = ["KELVIN=linear@learned"] }
        [[output]]
        file = "flaws.csv"
        table = "flaws"
        max_gap = "5s"
        [[output]]
        file = "figure.svg"
    "#;
    world.write("job.toml", job);
    world.edb(&["run", "job.toml", "--quiet"]).succeeded();
    let read = |name: &str| rows(&std::fs::read_to_string(world.path(name)).unwrap());
    assert_eq!(read("rows.csv").len(), 1 + 2 * 177, "24 min 12 s of both, 8.192 s apart");
    assert_eq!(column(&read("bins.csv"), "time"), ["2024-03-01T05:30:00.000000Z"; 2]);
    assert_eq!(
        read("aligned.csv")[0].join(" "),
        "time SAMPLE_PANEL_TEMP SAMPLE_PANEL_TEMP_time KELVIN KELVIN_time"
    );
    assert!(read("states.csv").len() > 100);
    assert_eq!(read("all.csv").len(), 2638, "what one output leaves out is in another");
    let gaps = column(&read("flaws.csv"), "flaw").iter().filter(|flaw| *flaw == "gap").count();
    assert_eq!(gaps, 2638, "every step of 8.192 s, those from and to the brackets as well");
    let figure = std::fs::read_to_string(world.path("figure.svg")).unwrap();
    let (_, drawn) = figure.split_once("</desc>").unwrap();
    assert!(drawn.contains("SAMPLE_PANEL_TEMP") && !drawn.contains("SAMPLE_HEATER_STATE"), "only needed");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_fetched() {
    let world = World::new();
    for (words, code, expected) in [
        (
            &["stats", "SAMPLE_PANEL_TEMP", "--where", "SAMPLE_PANEL_TEMP"][..],
            2,
            "expected a condition, found a value",
        ),
        (
            &["stats", "SAMPLE_PANEL_TEMP", "--where", "SAMPLE_HEATER_STATE = ON"],
            4,
            "texts are written in quotes, as 'ON'",
        ),
        (
            &["stats", "SAMPLE_PANEL_TEMP", "--where", "SAMPLE_PANEL_TEMP > > 1"],
            2,
            "\n                      ^",
        ),
        (&["stats", "SAMPLE_PANEL_TEMP", "--by", "fortnight"], 2, "use `range`, `block`, or a bin"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--by", "block"], 2, "blocks of what?"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--table", "bananas"], 2, "there is no table `bananas`"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--table", "intervals"], 2, "no condition is given"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--statistics", "mode"], 2, "there is no statistic `mode`"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--sigma", "0"], 2, "expected a positive number"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--by", "0mo"], 2, "expected 1 to 12000 months"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--by", "1h", "--origin", "now"], 2, "it goes by the clock"),
        (
            &["stats", "SAMPLE_PANEL_TEMP", "--layout", "wide", "--stamp", "mean"],
            2,
            "each mnemonic has its own",
        ),
        (&["stats", "SAMPLE_PANEL_TEMP", "--within", "none.csv"], 11, "none.csv"),
        (
            &["stats", "SAMPLE_PANEL_TEMP", "--limits", "A=2..1", "--table", "flaws"],
            2,
            "could not read `A=2..1` as limits",
        ),
        (&["stats", "SAMPLE_PANEL_TEMP", "--limits", "A=1..2"], 2, "add `--table flaws`"),
        (
            &["export", "SAMPLE_PANEL_TEMP", "--resample", "1m", "--limits", "A=1..2"],
            2,
            "add `--table flaws`",
        ),
        (&["stats", "SAMPLE_PANEL_TEMP", "--origin", "2024-01-01"], 2, "a range has none"),
        (
            &["stats", "SAMPLE_PANEL_TEMP", "--table", "duty", "--origin", "2024-01-01"],
            2,
            "`--origin` is about statistics",
        ),
        (&["export", "SAMPLE_PANEL_TEMP", "--origin", "2024-01-01"], 2, "there are none"),
        (&["export", "SAMPLE_PANEL_TEMP", "--sigma", "4"], 2, "`--sigma` is about bins"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--complete-only"], 2, "about states and conditions"),
        (&["stats", "SAMPLE_PANEL_TEMP", "--derive", "A + B"], 2, "write `name = expression`"),
        (
            &["export", "SAMPLE_PANEL_TEMP", "--statistics", "mean"],
            2,
            "`--statistics` is about bins, and no bins are given",
        ),
        (
            &["export", "SAMPLE_PANEL_TEMP", "--resample", "1m", "-o", "a.png"],
            2,
            "a figure shows the samples themselves",
        ),
        (
            &[
                "export",
                "--derive",
                "p = 2 * SAMPLE_PANEL_TEMP",
                "--align",
                "1m",
                "--max-age",
                "1m",
                "--method-of",
                "P=hold",
            ],
            2,
            "MNEMONIC=METHOD@LIMIT",
        ),
    ] {
        let run = world.edb(&[words, &RANGE[..]].concat());
        assert_eq!(run.code, code, "{words:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{words:?}: {}", run.stderr);
        assert_eq!((run.stdout.as_str(), world.files().len()), ("", 0), "{words:?}");
    }
    let run = world.edb(&["stats", "--table", "visits", "--source", "sample"]);
    assert!(run.code == 2 && run.stderr.contains("no range is given for ICTM_EVENT_MSG"), "{run:?}");
}
