//! Units, as far as products and quotients need them.
//!
//! The archive writes units as text (`V`, `deg/s`, `counts`). A unit here is a product of such symbols with whole exponents; what
//! is no product stays one opaque symbol. Only where a product of two or more symbols is a named unit is it given that name: V·A is W.

use std::collections::BTreeMap;
use std::fmt;

/// A product of symbols with exponents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Unit(BTreeMap<String, i32>);

/// Metre, kilogram, second, ampere, kelvin.
type Dimensions = [i32; 5];

/// Symbols whose dimensions are known, each 1 in SI: with a prefix in front of them they are that much more or less. No symbol for
/// degrees Celsius is among them: a product with one has no meaning.
const SYMBOLS: [(&str, Dimensions); 15] = [
    ("W", [2, 1, -3, 0, 0]),
    ("V", [2, 1, -3, -1, 0]),
    ("A", [0, 0, 0, 1, 0]),
    ("Ohm", [2, 1, -3, -2, 0]),
    ("J", [2, 1, -2, 0, 0]),
    ("N", [1, 1, -2, 0, 0]),
    ("Pa", [-1, 1, -2, 0, 0]),
    ("Hz", [0, 0, -1, 0, 0]),
    ("F", [-2, -1, 4, 2, 0]),
    ("H", [2, 1, -2, -2, 0]),
    ("Wb", [2, 1, -2, -1, 0]),
    ("T", [0, 1, -2, -1, 0]),
    ("s", [0, 0, 1, 0, 0]),
    ("m", [1, 0, 0, 0, 0]),
    ("K", [0, 0, 0, 0, 1]),
];

const PREFIXES: [(&str, i32); 8] =
    [("", 0), ("m", -3), ("u", -6), ("µ", -6), ("n", -9), ("k", 3), ("M", 6), ("G", 9)];

/// The power of ten and the dimensions of a symbol, if they are known.
fn known(symbol: &str) -> Option<(i32, Dimensions)> {
    if matches!(symbol, "sec" | "SEC") {
        return known("s");
    }
    let find =
        |name: &str| SYMBOLS.iter().find(|(known, _)| *known == name).map(|(_, dimensions)| *dimensions);
    let with = |(prefix, power): &(&str, i32)| Some((*power, find(symbol.strip_prefix(prefix)?)?));
    PREFIXES.iter().find_map(with)
}

impl Unit {
    /// Reads a unit as the archive writes it: `V`, `deg/s`, `m/s^2`, `N.m`, `V*A`; anything else is one symbol.
    pub(crate) fn parse(text: &str) -> Self {
        let text = text.trim();
        let mut unit = Self::default();
        let mut sign = 1;
        for (at, part) in text.split_inclusive(['/', '*', '.', '·']).enumerate() {
            let factor = part.trim_end_matches(['/', '*', '.', '·']);
            let digits = factor.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-');
            let symbol = factor[..factor.len() - digits.len()].trim_end_matches('^');
            let exponent = if digits.is_empty() { Some(1) } else { digits.parse::<i32>().ok() };
            let is_symbol =
                !symbol.is_empty() && symbol.chars().all(|c| c.is_alphabetic() || "%_°µ".contains(c));
            let is_one = at == 0 && factor == "1";
            match exponent {
                Some(exponent) if is_symbol => unit.multiply(symbol, sign * exponent),
                _ if is_one => {}
                _ => return Self::opaque(text),
            }
            // What follows a stroke is below it: m/s^2, J/kg/K.
            if part.ends_with('/') {
                sign = -1;
            }
        }
        unit
    }

    fn opaque(text: &str) -> Self {
        Self(if text.is_empty() { BTreeMap::new() } else { [(text.to_owned(), 1)].into() })
    }

    fn multiply(&mut self, symbol: &str, exponent: i32) {
        let entry = self.0.entry(symbol.to_owned()).or_default();
        *entry += exponent;
        if *entry == 0 {
            self.0.remove(symbol);
        }
    }

    /// Whether it is the unit of a bare number.
    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The product with another one to a power.
    pub(crate) fn times(mut self, other: &Self, power: i32) -> Self {
        other.0.iter().for_each(|(symbol, exponent)| self.multiply(symbol, exponent * power));
        self
    }

    /// The unit of a choice, or of a sum: a bare number goes with any; those that differ have none.
    pub(crate) fn common<'a>(units: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut named = units.into_iter().filter(|unit| !unit.is_none());
        let first = named.next().cloned().unwrap_or_default();
        if named.all(|unit| *unit == first) { first } else { Self::default() }
    }

    /// Its square root, if that has whole exponents.
    pub(crate) fn root(&self) -> Option<Self> {
        let half =
            |(symbol, exponent): (&String, &i32)| (exponent % 2 == 0).then(|| (symbol.clone(), exponent / 2));
        self.0.iter().map(half).collect::<Option<_>>().map(Self)
    }

    /// The named unit that a product of several symbols is.
    fn name(&self) -> Option<String> {
        if self.0.len() < 2 {
            return None;
        }
        let (mut power, mut dimensions) = (0, [0; 5]);
        for (symbol, exponent) in &self.0 {
            let (own, of) = known(symbol)?;
            power += own * exponent;
            dimensions.iter_mut().zip(of).for_each(|(sum, one)| *sum += one * exponent);
        }
        let prefix = PREFIXES.iter().find(|(_, own)| *own == power)?.0;
        if dimensions == [0; 5] && power == 0 {
            return Some(String::new());
        }
        let (symbol, _) = SYMBOLS.iter().find(|(_, of)| *of == dimensions)?;
        Some(format!("{prefix}{symbol}"))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.name() {
            return f.write_str(&name);
        }
        let factors = |sign: i32| -> Vec<String> {
            let some = self.0.iter().filter(|(_, exponent)| **exponent * sign > 0);
            let one = |(symbol, exponent): (&String, &i32)| match exponent.abs() {
                1 => symbol.clone(),
                power => format!("{symbol}{power}"),
            };
            some.map(one).collect()
        };
        let (above, below) = (factors(1).join("."), factors(-1));
        let above = if above.is_empty() && !below.is_empty() { "1".to_owned() } else { above };
        f.write_str(&above)?;
        below.iter().try_for_each(|factor| write!(f, "/{factor}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_named_units_have_names() {
        let product = |a: &str, b: &str, power: i32| Unit::parse(a).times(&Unit::parse(b), power).to_string();
        for (a, b, power, expected) in [
            ("V", "A", 1, "W"),
            ("A", "V", 1, "W"),
            ("mA", "V", 1, "mW"),
            ("mV", "mA", 1, "uW"),
            ("V", "A", -1, "Ohm"),
            ("W", "s", 1, "J"),
            ("deg", "s", -1, "deg/s"),
            ("deg/s", "sec", 1, "deg.sec/s"),
            ("deg/s", "s", 1, "deg"),
            ("C", "V", 1, "C.V"),
            ("V", "V", 1, "V2"),
            ("V", "V", -1, ""),
            ("", "V", -1, "1/V"),
            ("counts", "", 1, "counts"),
            ("m/s^2", "", 1, "m/s2"),
            ("J/kg/K", "K", 1, "J/kg"),
            ("kV", "V", -1, "kV/V"),
        ] {
            assert_eq!(product(a, b, power), expected, "{a} {b} {power}");
        }
    }

    #[test]
    fn what_is_no_product_is_one_symbol() {
        for text in ["deg C", "deg C (approx)", "2 V", "%", "°C", "N/A-ish"] {
            assert_eq!(Unit::parse(text).to_string(), text);
        }
        assert!(Unit::parse(" ").is_none());
        assert_eq!(Unit::parse("V2").root().unwrap().to_string(), "V");
        assert!(Unit::parse("V").root().is_none());
    }
}
