//! Configurations of `STScI`'s JWQL monitor as figure descriptions.

use std::collections::BTreeMap;
use std::path::Path;

use edb::frame::Averaging;
use edb::{Error, Result};
use serde::Deserialize;

use crate::figure_file::{FigureWords, LimitWords, PanelWords};

/// One mnemonic to watch. Words that say nothing about a figure are passed over.
#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    database_id: Option<String>,
    description: Option<String>,
    #[serde(default)]
    dependency: Vec<Dependency>,
    plot_data: String,
    nominal_value: Option<f64>,
    #[serde(default)]
    yellow_limits: Vec<f64>,
    #[serde(default)]
    red_limits: Vec<f64>,
    plot_category: String,
    mean_time_block: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    relation: String,
    threshold: Threshold,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Threshold {
    Number(f64),
    Text(String),
}

impl FigureWords {
    /// Reads a configuration of the JWQL monitor: a panel for each entry, those of a category together, in the order in which categories
    /// first appear. `wanted` are categories, names or averagings; without any, all entries are drawn.
    ///
    /// What the monitor calls means are medians of what sigma clipping leaves (three deviations, five times), and so they are here. Its
    /// daily means are of a quarter of an hour from noon; here they are of the day. Values that change with a state are drawn with the
    /// state below.
    ///
    /// # Errors
    /// [`edb::ErrorKind::Usage`] for what cannot be read, or if nothing is wanted of it; [`edb::ErrorKind::Disk`].
    pub fn from_monitor(path: &Path, wanted: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::disk("read", path, error))?;
        let doing = |error: Error| {
            error.while_doing(format!("could not use the monitor's configuration `{}`", path.display()))
        };
        from_json(&text, wanted).map_err(doing)
    }
}

fn from_json(text: &str, wanted: &[String]) -> Result<FigureWords> {
    let all: BTreeMap<String, Vec<Entry>> = serde_json::from_str(text)
        .map_err(|error| Error::usage("it is no object of lists of entries").caused_by(error))?;
    // The order of the file says which category comes first; a map forgets it.
    let mut averagings: Vec<&String> = all.keys().collect();
    averagings.sort_by_key(|name| text.find(&format!("\"{name}\"")).unwrap_or(usize::MAX));
    let mut categories: Vec<(String, Vec<PanelWords>)> = Vec::new();
    for averaging in averagings {
        for entry in &all[averaging] {
            let is_wanted = |word: &String| {
                [&entry.plot_category, &entry.name, averaging].contains(&word)
                    || entry.database_id.as_ref() == Some(word)
            };
            if !wanted.is_empty() && !wanted.iter().any(is_wanted) {
                continue;
            }
            let panel = entry
                .panel(averaging)
                .map_err(|error| error.while_doing(format!("could not use the entry {}", entry.id())))?;
            match categories.iter_mut().find(|(name, _)| *name == entry.plot_category) {
                Some((_, panels)) => panels.push(panel),
                None => categories.push((entry.plot_category.clone(), vec![panel])),
            }
        }
    }
    let panel: Vec<PanelWords> = categories.into_iter().flat_map(|(_, panels)| panels).collect();
    if panel.is_empty() {
        let known: Vec<String> = all
            .values()
            .flatten()
            .map(|entry| entry.plot_category.clone())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        return Err(Error::usage("it has no entry of these categories, names or averagings")
            .with_hint(format!("its categories are {}", known.join(", "))));
    }
    Ok(FigureWords { panel, ..FigureWords::default() })
}

impl Entry {
    fn id(&self) -> &str {
        self.database_id.as_deref().unwrap_or(&self.name)
    }

    fn panel(&self, averaging: &str) -> Result<PanelWords> {
        let kind = Averaging::parse(averaging)?;
        let (product, extras) = match self.plot_data.split_once(',') {
            Some((product, extras)) => (product.trim(), extras),
            None => (self.plot_data.trim(), ""),
        };
        let mut panel = PanelWords {
            select: Some(vec![self.name.clone()]),
            heading: Some(self.heading()),
            description: self.description.clone(),
            by: Some("mnemonic".to_owned()),
            condition: self.condition(),
            ..PanelWords::default()
        };
        let mut shown = self.name.clone();
        if let Some(other) = product.strip_prefix('*') {
            shown = if self.id() == self.name {
                format!("{}_X_{other}", self.name)
            } else {
                self.id().to_owned()
            };
            panel.derive = vec![format!("{shown} = {} * {other}", self.name)];
            panel.select = Some(Vec::new());
        } else if product != "nominal" {
            return Err(Error::usage(format!("could not read its `plot_data`, `{}`", self.plot_data))
                .with_hint("the monitor knows `nominal` and `*MNEMONIC`"));
        }
        panel.resample = match kind {
            Averaging::DailyMeans => Some("1d".to_owned()),
            Averaging::BlockMeans => Some("block".to_owned()),
            Averaging::TimeInterval => Some(self.interval()?),
            Averaging::EveryChange => {
                let states = self.dependency.iter().map(|one| one.name.clone());
                panel.select.iter_mut().for_each(|names| names.extend(states.clone()));
                // The state has a description of its own.
                panel.description = None;
                None
            }
            Averaging::All => None,
        };
        if panel.resample.is_some() {
            panel.line = Some("clipped_median".to_owned());
            let is_range = extras.contains("max") || extras.contains("min");
            panel.envelope = Some(if is_range { "range" } else { "std" }.to_owned());
            if averaging.starts_with("all+") {
                panel.samples = Some(true);
                panel.show = vec!["time".to_owned(), "deviation".to_owned()];
            }
        }
        // Other lengths are none, as for the monitor.
        let pair = |limits: &[f64]| if let [low, high] = limits { Some([*low, *high]) } else { None };
        let (yellow, red) = (pair(&self.yellow_limits), pair(&self.red_limits));
        // The limits of what changes with a state are of values by which the monitor divides: it never applies them.
        if kind != Averaging::EveryChange {
            panel.limits.insert(shown, LimitWords { nominal: self.nominal_value, yellow, red });
        }
        Ok(panel)
    }

    fn heading(&self) -> String {
        let what = self.description.as_deref().map_or_else(String::new, |text| format!(": {text}"));
        format!("{} \u{2013} {}{what}", self.plot_category, self.id())
    }

    fn condition(&self) -> Option<String> {
        let terms = self.dependency.iter().filter(|one| one.relation != "none").map(|one| {
            let threshold = match &one.threshold {
                Threshold::Number(number) => number.to_string(),
                Threshold::Text(text) => format!("'{text}'"),
            };
            format!("{} {} {threshold}", one.name, one.relation)
        });
        let terms: Vec<String> = terms.collect();
        (!terms.is_empty()).then(|| terms.join(" and "))
    }

    /// `5_minutes` as `300s`.
    fn interval(&self) -> Result<String> {
        let text = self.mean_time_block.as_deref().unwrap_or_default();
        let read = || {
            let (count, unit) = text.split_once('_')?;
            let units = [("min", 60.0), ("sec", 1.0), ("hour", 3600.0), ("day", 86_400.0)];
            let (_, seconds) = units.into_iter().find(|(name, _)| unit.contains(name))?;
            let seconds = count.parse::<f64>().ok()? * seconds;
            (seconds >= 0.001).then(|| format!("{}ms", (seconds * 1000.0).round() as i64))
        };
        let text = read().ok_or_else(|| {
            Error::usage(format!("could not read its `mean_time_block`, `{text}`"))
                .with_hint("write it as `5_minutes`")
        })?;
        Ok(text.strip_suffix("000ms").map_or(text.clone(), |seconds| format!("{seconds}s")))
    }
}

#[cfg(test)]
mod tests {
    use edb::Instant;
    use edb::plot::Format;

    use super::*;

    const CONFIGURATION: &str = r#"{
        "daily_means": [{"name": "SE_ZIMIRICEA", "database_id": "POWER", "description": "ICE power", "dependency": [
            {"name": "SE_ZIMIRICEA", "relation": ">", "threshold": 0.2},
            {"name": "IMIR_HK_POM_LOOP", "relation": "=", "threshold": "OFF"}],
            "plot_data": "*SE_ZBUSVLT,max,min", "nominal_value": 7.11, "yellow_limits": [6.5, 7.7], "plot_category": "Power"}],
        "all+time_interval": [{"name": "A", "dependency": [], "plot_data": "nominal", "red_limits": [1, 2], "plot_category": "Other",
            "mean_time_block": "2.5_minutes"}],
        "every_change": [{"name": "RATIO", "dependency": [{"name": "POS", "relation": "none", "threshold": 0}],
            "plot_data": "nominal", "yellow_limits": [-1, 1], "plot_category": "Power"}],
        "all": []
    }"#;

    #[test]
    fn entries_are_panels_by_category() {
        let words = from_json(CONFIGURATION, &[]).unwrap();
        let names: Vec<&str> = words.panel.iter().filter_map(|panel| panel.heading.as_deref()).collect();
        assert_eq!(names, ["Power \u{2013} POWER: ICE power", "Power \u{2013} RATIO", "Other \u{2013} A"]);
        let [power, ratio, other] = words.panel.as_slice() else { panic!("three panels") };
        assert_eq!(power.derive, ["POWER = SE_ZIMIRICEA * SE_ZBUSVLT"]);
        assert_eq!(power.condition.as_deref(), Some("SE_ZIMIRICEA > 0.2 and IMIR_HK_POM_LOOP = 'OFF'"));
        let limits = LimitWords { nominal: Some(7.11), yellow: Some([6.5, 7.7]), red: None };
        assert_eq!(power.limits["POWER"], limits);
        assert_eq!((power.resample.as_deref(), power.envelope.as_deref()), (Some("1d"), Some("range")));
        assert_eq!(ratio.select.as_deref(), Some(&["RATIO".to_owned(), "POS".to_owned()][..]));
        assert!(ratio.limits.is_empty() && ratio.resample.is_none());
        assert_eq!((other.resample.as_deref(), other.samples), (Some("150s"), Some(true)));
        assert_eq!(other.show, ["time", "deviation"]);

        let figure = words.plan(Format::Svg, Instant::MIN).unwrap();
        let needs: Vec<String> = figure.panels[0].needs().iter().map(ToString::to_string).collect();
        assert_eq!(needs, ["SE_ZIMIRICEA", "SE_ZBUSVLT", "IMIR_HK_POM_LOOP"]);
    }

    #[test]
    fn entries_are_chosen_by_category_name_and_averaging() {
        let count =
            |wanted: &str| from_json(CONFIGURATION, &[wanted.to_owned()]).map(|words| words.panel.len());
        assert_eq!(count("Power").unwrap(), 2);
        assert_eq!(count("POWER").unwrap(), 1);
        assert_eq!(count("A").unwrap(), 1);
        assert_eq!(count("every_change").unwrap(), 1);
        assert_eq!(count("Nothing").unwrap_err().hint(), Some("its categories are Other, Power"));
        for (text, expected) in [
            ("[]", "no object of lists"),
            (
                r#"{"weekly": [{"name": "A", "plot_data": "nominal", "plot_category": "C"}]}"#,
                "no averaging `weekly`",
            ),
            (r#"{"all": [{"name": "A", "plot_data": "ratio", "plot_category": "C"}]}"#, "plot_data"),
            (
                r#"{"time_interval": [{"name": "A", "plot_data": "nominal", "plot_category": "C"}]}"#,
                "mean_time_block",
            ),
        ] {
            let error = from_json(text, &[]).unwrap_err().chain();
            assert!(error.contains(expected), "{error}");
        }
    }
}
