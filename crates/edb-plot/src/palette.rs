//! Colours.

use crate::scene::Color;

/// The colours of series: Okabe and Ito's set, which people with any colour vision can tell apart, without its yellow,
/// which is too faint for a line on white. (Okabe, Ito: "Color Universal Design", 2008.)
pub(crate) const SERIES: [Color; 7] = [
    Color(0, 114, 178),
    Color(213, 94, 0),
    Color(0, 158, 115),
    Color(204, 121, 167),
    Color(230, 159, 0),
    Color(86, 180, 233),
    Color(0, 0, 0),
];

pub(crate) const WHITE: Color = Color(255, 255, 255);
pub(crate) const TEXT: Color = Color(34, 34, 34);
pub(crate) const QUIET: Color = Color(115, 115, 115);
pub(crate) const FRAME: Color = Color(140, 140, 140);
pub(crate) const GRID: Color = Color(230, 230, 230);
pub(crate) const LEADER: Color = Color(190, 190, 190);
