//! Pictures as they were when somebody last looked at them (`tests/golden`), compared as eyes would: an average over small squares may not
//! differ by much, and few may differ at all. `EDB_BLESS=1` writes them anew; then look at them.

use std::path::Path;

use edb_core::{Coverage, Sampling};
use edb_plot::{Chart, ChartKind, FigureOptions, Format, Limits, Theme, Trace, draw};

use crate::world::{World, charts, range};

/// Pixels of a side of a square.
const SQUARE: usize = 4;

struct Pixels {
    width: usize,
    height: usize,
    bytes: Vec<u8>,
}

fn decoded(png: &[u8]) -> Pixels {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    Pixels { width: info.width as usize, height: info.height as usize, bytes }
}

impl Pixels {
    /// The mean of each colour of every square.
    fn squares(&self) -> Vec<f64> {
        let mut squares = Vec::new();
        for top in (0..self.height).step_by(SQUARE) {
            for left in (0..self.width).step_by(SQUARE) {
                for channel in 0..3 {
                    let rows = top..(top + SQUARE).min(self.height);
                    let own = rows.flat_map(|y| (left..(left + SQUARE).min(self.width)).map(move |x| (x, y)));
                    let values: Vec<f64> =
                        own.map(|(x, y)| f64::from(self.bytes[3 * (y * self.width + x) + channel])).collect();
                    squares.push(values.iter().sum::<f64>() / values.len() as f64);
                }
            }
        }
        squares
    }
}

/// How many of a thousand squares differ by more than eyes pass over, and by how much the worst does.
fn difference(one: &Pixels, other: &Pixels) -> (f64, f64) {
    let pairs: Vec<f64> =
        one.squares().iter().zip(other.squares()).map(|(one, other)| (one - other).abs()).collect();
    let seen = pairs.iter().filter(|difference| **difference > 12.0).count();
    (1000.0 * seen as f64 / pairs.len() as f64, pairs.iter().copied().fold(0.0, f64::max))
}

fn same_as_before(name: &str, charts: &[Chart<'_>], stop: i64, theme: Theme) {
    let mut options = FigureOptions::default();
    (options.width, options.theme) = (640, theme);
    "synthetic".clone_into(&mut options.footer);
    let png = draw(charts, range(0, stop), &options, Format::Png).unwrap().value;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.png"));
    #[expect(clippy::disallowed_methods, reason = "whoever changes a figure on purpose asks for it")]
    if std::env::var("EDB_BLESS").is_ok() {
        std::fs::write(&path, &png).unwrap();
    }
    let (found, expected) = (decoded(&png), decoded(&std::fs::read(&path).unwrap()));
    assert_eq!((found.width, found.height), (expected.width, expected.height), "{name}");
    let (seen, worst) = difference(&found, &expected);
    assert!(
        seen < 2.0 && worst < 90.0,
        "{name}: {seen:.1} of a thousand squares differ, one by {worst:.0}; look at both"
    );
}

#[test]
fn numbers_with_limits_a_gap_and_a_hole() {
    let times: Vec<i64> = (0..1000).filter(|at| !(300..360).contains(at)).collect();
    let mut series = World::new("VOLT", 0, 1200)
        .unit("V")
        .real(&times, |at| (at as f64 / 60.0).sin() + (at % 7) as f64 * 0.02)
        .done();
    series.known = Coverage::from_iter([range(0, 1100)]);
    let mut trace = Trace::from(series);
    trace.limits = Limits { nominal: Some(0.0), yellow: Some((-0.8, 0.8)), red: Some((-1.0, 1.05)) };
    let charts =
        [Chart::new(ChartKind::Time, vec![trace.clone()]), Chart::new(ChartKind::Histogram, vec![trace])];
    same_as_before("limits", &charts, 1200, Theme::Light);
    same_as_before("limits-dark", &charts, 1200, Theme::Dark);
}

#[test]
fn states_messages_and_integers() {
    let states: Vec<(i64, &str)> =
        (0..9).map(|at| (at * 100 + at * at, ["ON", "OFF", "STANDBY"][at as usize % 3])).collect();
    let messages: Vec<(i64, &str)> = (0..6).map(|at| (at * 150 + 20, "Slew complete")).collect();
    let times: Vec<i64> = (0..100).map(|at| at * 10).collect();
    let series = [
        World::new("MODE", 0, 1000).text(&states).sampled(Sampling::ChangeOnly).done(),
        World::new("EVENTS", 0, 1000)
            .text(
                &[
                    messages,
                    vec![(990, "a message that is too long to be the name of a state, whatever it says")],
                ]
                .concat(),
            )
            .done(),
        World::new("COUNT", 0, 1000).integer(&times, |at| at / 10 % 12).done(),
    ];
    same_as_before("states", &charts(&series), 1000, Theme::Light);
}

#[test]
fn one_over_the_other() {
    let times: Vec<i64> = (0..2000).collect();
    let turn = |at: i64, shift: f64| (at as f64 / 100.0 + shift).sin() * at as f64 / 2000.0;
    let x = World::new("X", 0, 2000).unit("rad").real(&times, |at| turn(at, 0.0)).done();
    let y = World::new("Y", 0, 2000).unit("rad").real(&times, |at| turn(at, 1.57)).done();
    same_as_before("phase", &[Chart::new(ChartKind::Phase, vec![x.into(), y.into()])], 2000, Theme::Light);
}

/// The comparison itself: what is moved by a line's width is seen.
#[test]
fn a_shift_of_two_pixels_is_a_difference() {
    let times: Vec<i64> = (0..1000).collect();
    let png = |shift: f64| {
        let series = [World::new("VOLT", 0, 1000)
            .real(
                &times,
                |at| if at < 2 { at as f64 * 20.0 - 10.0 } else { (at as f64 / 60.0).sin() + shift },
            )
            .done()];
        decoded(
            &draw(&charts(&series), range(0, 1000), &FigureOptions::default(), Format::Png).unwrap().value,
        )
    };
    assert_eq!(difference(&png(0.0), &png(0.0)), (0.0, 0.0));
    assert!(difference(&png(0.0), &png(0.25)).0 > 2.0);
}
