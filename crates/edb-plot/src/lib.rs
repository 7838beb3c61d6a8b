//! Draws series with gaps, limits and states as PNG or SVG.
