//! What a figure shows, and how it looks.

use edb::frame::{Preparation, ResampleOptions, Statistic};
use edb::plot::{ChartKind, FigureOptions, Format, Grouping, Limits};
use edb::{Mnemonic, Result};

/// A figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// How it looks.
    pub options: FigureOptions,
    /// The format of its file.
    pub format: Format,
    /// What it shows.
    pub panels: Vec<PanelPlan>,
}

/// Mnemonics that are treated alike, and what is drawn of them.
#[derive(Debug, Clone)]
pub struct PanelPlan {
    /// Whose samples, besides what is derived; by default of all that is selected.
    pub select: Option<Vec<Mnemonic>>,
    /// What is drawn, one after the other.
    pub kinds: Vec<ChartKind>,
    /// Which of them share a panel.
    pub grouping: Grouping,
    /// What is done to the series before.
    pub preparation: Preparation,
    /// Statistics to draw.
    pub bins: Option<BinPlan>,
    /// Limits of a mnemonic, or of all.
    pub limits: Vec<(Option<Mnemonic>, Limits)>,
    /// What stands above the panels.
    pub heading: Option<String>,
    /// What the mnemonics are, in place of the dictionary's words.
    pub description: Option<String>,
    /// Whether value axes, and counts of histograms, are logarithmic.
    pub is_logarithmic: bool,
}

/// Statistics of bins, and what is drawn of them.
#[derive(Debug, Clone, PartialEq)]
pub struct BinPlan {
    /// The bins; which statistics are computed follows from the rest.
    pub options: ResampleOptions,
    /// What the bins are called: `5m`.
    pub name: String,
    /// The line.
    pub line: Statistic,
    /// What lies around it.
    pub envelope: Envelope,
    /// Whether the samples are drawn, too.
    pub has_samples: bool,
}

impl BinPlan {
    /// Whether the line is one of values, as a mean is, and not of counts or widths.
    pub(crate) fn is_of_values(&self) -> bool {
        !matches!(
            self.line,
            Statistic::Count
                | Statistic::Std
                | Statistic::StdSample
                | Statistic::Sum
                | Statistic::Range
                | Statistic::TimeStd
                | Statistic::Fraction
                | Statistic::ClippedCount
                | Statistic::ClippedStd
        )
    }
}

/// What lies around a line of bins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Envelope {
    /// The least and the greatest value.
    #[default]
    Range,
    /// One standard deviation below and above.
    Deviation,
    /// Nothing.
    None,
}

impl Default for PanelPlan {
    fn default() -> Self {
        Self {
            select: None,
            kinds: vec![ChartKind::Time],
            grouping: Grouping::Unit,
            preparation: Preparation::default(),
            bins: None,
            limits: Vec::new(),
            heading: None,
            description: None,
            is_logarithmic: false,
        }
    }
}

impl PanelPlan {
    /// The mnemonics that it needs beside those that are selected.
    pub(crate) fn needs(&self) -> Vec<Mnemonic> {
        self.measured().into_iter().chain(self.preparation.needs()).collect()
    }

    /// The limits of a mnemonic: its own, and where it has none those of all.
    pub(crate) fn limits_of(&self, name: &Mnemonic) -> Limits {
        let of = |wanted: Option<&Mnemonic>| {
            let found = self.limits.iter().find(|(name, _)| name.as_ref() == wanted);
            found.map(|(_, limits)| *limits).unwrap_or_default()
        };
        let (own, all) = (of(Some(name)), of(None));
        Limits {
            nominal: own.nominal.or(all.nominal),
            yellow: own.yellow.or(all.yellow),
            red: own.red.or(all.red),
        }
    }

    /// What of its own selection is not derived.
    fn measured(&self) -> Vec<Mnemonic> {
        self.select.iter().flatten().filter(|name| !self.derives(name)).cloned().collect()
    }

    /// Whether a name is that of a quantity that it adds.
    pub(crate) fn derives(&self, name: &Mnemonic) -> bool {
        self.preparation.derive.iter().any(|one| one.name == *name)
    }

    pub(crate) fn check(&self, wanted: &[Mnemonic]) -> Result<()> {
        if self.select.is_some() {
            self.preparation.check(&self.measured())
        } else {
            self.preparation.check(wanted)
        }
    }
}

impl Figure {
    /// A figure of all that is selected, prepared like this.
    pub fn of_all(format: Format, preparation: Preparation) -> Self {
        let panels = vec![PanelPlan { preparation, ..PanelPlan::default() }];
        Self { options: FigureOptions::default(), format, panels }
    }
}
