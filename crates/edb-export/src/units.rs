//! Units of the archive in the words of the standards.
//!
//! The archive writes units as text. Some of these texts mean something else to readers (astropy takes `C` for coulomb and `N/A` for newton per
//! ampere), some mean nothing to them (`degC`, `counts`, `rad/sec`). Each factor is looked up in a table; one that is not in it makes the whole
//! unit an unknown one, which files keep as text and readers do not interpret.

/// A unit for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A bare number.
    None,
    /// Known factors, each with its exponent.
    Known(Vec<(Symbol, i32)>),
    /// Text that no standard knows.
    Unknown,
}

/// What the factor of a unit is called: by astropy's generic format, by the FITS standard, by `VOUnits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Symbol {
    common: &'static str,
    fits: &'static str,
    vo: &'static str,
    prefix: &'static str,
}

/// A symbol, what else it is written as, and whether it takes prefixes.
struct Entry(&'static str, &'static [&'static str], bool);

/// Symbols that all standards share.
const SHARED: [Entry; 27] = [
    Entry("V", &["volt", "volts", "Volt", "Volts", "VOLTS", "VDC"], true),
    Entry("A", &["amp", "amps", "Amp", "Amps", "AMPS", "ampere", "amperes"], true),
    Entry("W", &["watt", "watts", "Watt", "Watts", "WATTS"], true),
    Entry("K", &["kelvin", "Kelvin", "kelvins", "deg_K", "degK", "DEG_K"], true),
    Entry("Ohm", &["ohm", "ohms", "Ohms", "OHM", "OHMS", "Ω", "Ω"], true),
    Entry("Hz", &["hz", "HZ", "hertz", "Hertz"], true),
    Entry("s", &["sec", "secs", "Sec", "SEC", "second", "seconds", "Seconds"], true),
    Entry("min", &["minute", "minutes"], false),
    Entry("h", &["hr", "hrs", "hour", "hours"], false),
    Entry("d", &["day", "days"], false),
    Entry("m", &["meter", "meters", "metre", "metres"], true),
    Entry("g", &["gram", "grams"], true),
    Entry("N", &["newton", "newtons", "Newton", "Newtons"], true),
    Entry("J", &["joule", "joules", "Joule", "Joules"], true),
    Entry("Pa", &["pascal", "pascals", "Pascal"], true),
    Entry("F", &["farad", "farads"], true),
    Entry("H", &["henry"], true),
    Entry("Wb", &["weber"], true),
    Entry("T", &["tesla", "Tesla"], true),
    Entry("mol", &[], true),
    Entry("deg", &["degree", "degrees", "Deg", "DEG", "°"], false),
    Entry("rad", &["radian", "radians", "Rad", "RAD", "rads"], true),
    Entry("arcsec", &["arcsecond", "arcseconds", "asec", "ARCSEC"], true),
    Entry("arcmin", &["arcminute", "arcminutes"], false),
    Entry("pixel", &["pix", "pixels", "Pixel", "Pixels"], false),
    Entry("bit", &["bits", "Bits"], false),
    Entry("byte", &["bytes", "Bytes"], false),
];

/// Symbols with a word of their own in some standard; what `VOUnits` lacks is quoted there, as it asks.
const OWN: [(Symbol, &[&str]); 5] = [
    (
        symbol("deg_C", "Celsius", "'deg_C'"),
        &[
            "C",
            "degC",
            "deg C",
            "DegC",
            "DEG_C",
            "degs C",
            "degrees C",
            "Deg C",
            "DEG C",
            "°C",
            "celsius",
            "Celsius",
            "CELSIUS",
        ],
    ),
    (
        symbol("ct", "count", "count"),
        &["count", "counts", "Count", "Counts", "COUNT", "COUNTS", "cts", "cnt", "cnts"],
    ),
    (symbol("adu", "adu", "adu"), &["ADU"]),
    (symbol("DN", "", "'DN'"), &["dn"]),
    // A hundredth, which neither FITS nor VOUnits has a symbol for.
    (symbol("%", "", "'percent'"), &["percent", "pct", "Percent", "PERCENT"]),
];

const PREFIXES: [(&str, &[&str]); 9] = [
    ("m", &["m", "milli"]),
    ("u", &["u", "µ", "μ", "micro"]),
    ("n", &["n", "nano"]),
    ("p", &["p", "pico"]),
    ("c", &["c", "centi"]),
    ("d", &["deci"]),
    ("k", &["k", "kilo"]),
    ("M", &["M", "mega"]),
    ("G", &["G", "giga"]),
];

/// Texts that say there is none.
const NONE: [&str; 13] = [
    "",
    "-",
    "N/A",
    "n/a",
    "none",
    "None",
    "NONE",
    "unitless",
    "Unitless",
    "UNITLESS",
    "dimensionless",
    "Dimensionless",
    "DIMENSIONLESS",
];

const fn symbol(common: &'static str, fits: &'static str, vo: &'static str) -> Symbol {
    Symbol { common, fits, vo, prefix: "" }
}

/// The symbol that `text` stands for.
fn look_up(text: &str) -> Option<Symbol> {
    let is_own = |(own, others): &&(Symbol, &[&str])| own.common == text || others.contains(&text);
    if let Some((own, _)) = OWN.iter().find(is_own) {
        return Some(own.clone());
    }
    let find = |text: &str, with_prefix: bool| {
        let is_it =
            |entry: &&Entry| (entry.0 == text || entry.1.contains(&text)) && (entry.2 || !with_prefix);
        SHARED.iter().find(is_it).map(|entry| symbol(entry.0, entry.0, entry.0))
    };
    if let Some(found) = find(text, false) {
        return Some(found);
    }
    PREFIXES.iter().find_map(|(prefix, spellings)| {
        let rest = spellings.iter().find_map(|spelling| find(text.strip_prefix(spelling)?, true));
        rest.map(|found| Symbol { prefix, ..found })
    })
}

/// A unit of which each factor is one word: degrees of a temperature are no angle, and blanks around a sign mean nothing.
fn joined(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for sign in ["/", "*"] {
        text = text.replace(&format!(" {sign}"), sign).replace(&format!("{sign} "), sign);
    }
    for degree in ["degrees", "degree", "degs", "deg", "Deg", "DEG"] {
        for scale in ["C", "K", "F"] {
            let is_whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
            if let Some((before, after)) = text.split_once(&format!("{degree} {scale}"))
                && is_whole(after)
            {
                text = format!("{before}deg{scale}{after}");
            }
        }
    }
    text
}

impl Unit {
    /// Reads a unit as the archive writes it.
    pub(crate) fn of(text: &str) -> Self {
        let text = text.trim();
        if NONE.contains(&text) {
            return Self::None;
        }
        if let Some(found) = look_up(text) {
            return Self::Known(vec![(found, 1)]);
        }
        Self::product(&joined(text)).map_or(Self::Unknown, Self::Known)
    }

    /// `m/s^2`, `N.m`, `V*A`, `kg m2 s-1`, `1/s`: what follows a stroke is below it.
    fn product(text: &str) -> Option<Vec<(Symbol, i32)>> {
        let mut factors = Vec::new();
        let mut sign = 1;
        for (at, part) in text.split_inclusive(['/', '*', '.', '·', ' ']).enumerate() {
            let factor = part.trim_end_matches(['/', '*', '.', '·', ' ']);
            let digits = factor.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-' && c != '+');
            let name = factor[..factor.len() - digits.len()].trim_end_matches('^');
            let exponent: i32 = if digits.is_empty() { 1 } else { digits.parse().ok()? };
            if !name.is_empty() {
                factors.push((look_up(name)?, sign * exponent));
            } else if part != " " && !(at == 0 && factor == "1") {
                return None;
            }
            if part.ends_with('/') {
                sign = -1;
            }
        }
        (!factors.is_empty() && !text.ends_with('/')).then_some(factors)
    }

    /// For astropy (ECSV, Parquet): `deg_C`, `rad s-1`.
    pub(crate) fn common(&self) -> Option<String> {
        self.text(|symbol| symbol.common, " ")
    }

    /// For FITS: `Celsius`, `rad s-1`.
    pub(crate) fn fits(&self) -> Option<String> {
        self.text(|symbol| symbol.fits, " ")
    }

    /// For the Virtual Observatory: `'deg_C'`, `rad.s**-1`.
    pub(crate) fn vo(&self) -> Option<String> {
        self.text(|symbol| symbol.vo, ".")
    }

    fn text(&self, word: impl Fn(&Symbol) -> &'static str, between: &str) -> Option<String> {
        let Self::Known(factors) = self else { return None };
        let factor = |(symbol, exponent): &(Symbol, i32)| {
            let name = Some(word(symbol)).filter(|name| !name.is_empty())?;
            let power = match exponent {
                1 => String::new(),
                exponent if between == "." => format!("**{exponent}"),
                exponent => exponent.to_string(),
            };
            Some(format!("{}{name}{power}", symbol.prefix))
        };
        Some(factors.iter().map(factor).collect::<Option<Vec<_>>>()?.join(between))
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn units_of_the_archive_have_the_words_of_each_standard() {
        for (text, common, fits, vo) in [
            ("C", "deg_C", "Celsius", "'deg_C'"),
            ("degC", "deg_C", "Celsius", "'deg_C'"),
            ("V", "V", "V", "V"),
            ("deg/s", "deg s-1", "deg s-1", "deg.s**-1"),
            ("rad/sec", "rad s-1", "rad s-1", "rad.s**-1"),
            ("counts", "ct", "count", "count"),
            ("COUNTS/sec", "ct s-1", "count s-1", "count.s**-1"),
            ("ohms", "Ohm", "Ohm", "Ohm"),
            ("kohms", "kOhm", "kOhm", "kOhm"),
            ("mA", "mA", "mA", "mA"),
            ("milliamps", "mA", "mA", "mA"),
            ("microK", "uK", "uK", "uK"),
            ("µm", "um", "um", "um"),
            ("m/s^2", "m s-2", "m s-2", "m.s**-2"),
            ("N.m", "N m", "N m", "N.m"),
            ("kg m2/s", "kg m2 s-1", "kg m2 s-1", "kg.m**2.s**-1"),
            ("1/s", "s-1", "s-1", "s**-1"),
            ("arcsec", "arcsec", "arcsec", "arcsec"),
            ("deg K", "K", "K", "K"),
            ("deg C/s", "deg_C s-1", "Celsius s-1", "'deg_C'.s**-1"),
            ("m / s", "m s-1", "m s-1", "m.s**-1"),
            ("deg  /  sec", "deg s-1", "deg s-1", "deg.s**-1"),
        ] {
            let unit = Unit::of(text);
            let words = (unit.common(), unit.fits(), unit.vo());
            assert_eq!(words, (Some(common.into()), Some(fits.into()), Some(vo.into())), "{text}");
        }
        assert_eq!((Unit::of("%").common(), Unit::of("%").fits()), (Some("%".into()), None));
    }

    #[test]
    fn what_no_standard_knows_is_unknown_and_what_says_nothing_is_none() {
        for text in [
            "deg F",
            "degF",
            "deg F/s",
            "steps",
            "RPM",
            "psi",
            "e-",
            "m//s",
            "2",
            "V2x",
            "MHz/",
            "minutes-ish",
            "mmin",
            "mod10",
        ] {
            assert_eq!(Unit::of(text), Unit::Unknown, "{text}");
        }
        for text in ["", " ", "unitless", "NONE", "-", "N/A"] {
            assert_eq!(Unit::of(text), Unit::None, "{text}");
        }
    }
}
