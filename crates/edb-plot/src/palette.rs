//! Colours.

use crate::scene::Color;

/// Whether a figure is dark on light or light on dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// For paper.
    #[default]
    Light,
    /// For screens at night.
    Dark,
}

/// The colours of a figure.
pub(crate) struct Palette {
    pub(crate) background: Color,
    pub(crate) text: Color,
    pub(crate) quiet: Color,
    pub(crate) frame: Color,
    pub(crate) grid: Color,
    pub(crate) leader: Color,
    /// Beyond yellow and beyond red limits: of the marks, and, fainter, of the bands.
    pub(crate) yellow: Color,
    pub(crate) red: Color,
    /// Where nothing is known, and where nothing is.
    pub(crate) unknown: Color,
    pub(crate) absent: Color,
    /// The colours of series: Okabe and Ito's set, which people with any colour vision can tell apart, without the one that is too faint
    /// for a line on this background. (Okabe, Ito: "Color Universal Design", 2008.)
    pub(crate) series: [Color; 7],
}

const LIGHT: Palette = Palette {
    background: Color(255, 255, 255),
    text: Color(34, 34, 34),
    quiet: Color(115, 115, 115),
    frame: Color(140, 140, 140),
    grid: Color(230, 230, 230),
    leader: Color(190, 190, 190),
    yellow: Color(201, 138, 0),
    red: Color(200, 30, 30),
    unknown: Color(150, 150, 150),
    absent: Color(120, 120, 120),
    series: [
        Color(0, 114, 178),
        Color(213, 94, 0),
        Color(0, 158, 115),
        Color(204, 121, 167),
        Color(230, 159, 0),
        Color(86, 180, 233),
        Color(0, 0, 0),
    ],
};

const DARK: Palette = Palette {
    background: Color(18, 20, 24),
    text: Color(226, 226, 226),
    quiet: Color(150, 150, 150),
    frame: Color(110, 110, 110),
    grid: Color(46, 49, 55),
    leader: Color(90, 90, 90),
    yellow: Color(240, 190, 60),
    red: Color(255, 110, 100),
    unknown: Color(120, 120, 120),
    absent: Color(150, 150, 150),
    series: [
        Color(86, 180, 233),
        Color(213, 94, 0),
        Color(0, 158, 115),
        Color(204, 121, 167),
        Color(230, 159, 0),
        Color(240, 228, 66),
        Color(230, 230, 230),
    ],
};

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn palette(self) -> &'static Palette {
        match self {
            Self::Light => &LIGHT,
            Self::Dark => &DARK,
        }
    }
}

impl Palette {
    /// The colour of a state: the second time round they are paler.
    pub(crate) fn state(&self, word: usize) -> Color {
        let color = self.series[word % self.series.len()];
        if word < self.series.len() { color } else { color.mixed(self.background, 0.5) }
    }
}

/// The colour of a part of time, 0 to 1: van der Walt and Smith's viridis, whose steps look alike to every eye.
pub(crate) fn of_time(part: f64) -> Color {
    const STOPS: [Color; 9] = [
        Color(68, 1, 84),
        Color(71, 45, 123),
        Color(59, 82, 139),
        Color(44, 114, 142),
        Color(33, 145, 140),
        Color(40, 174, 128),
        Color(94, 201, 98),
        Color(173, 220, 48),
        Color(253, 231, 37),
    ];
    let place = part.clamp(0.0, 1.0) * (STOPS.len() - 1) as f64;
    let at = (place as usize).min(STOPS.len() - 2);
    STOPS[at + 1].mixed(STOPS[at], place - at as f64)
}
