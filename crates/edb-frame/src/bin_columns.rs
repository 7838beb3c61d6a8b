//! Statistics of bins as columns of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use edb_core::ValueKind;
use edb_series::align::Cells;
use polars::prelude::Column;

use crate::bin::{StatisticColumn, Summary};
use crate::columns;
use crate::resample::{Bins, Layout, ResampleOptions, Stamp};
use crate::statistic::Statistic;
use crate::table::ColumnAbout;

/// The table's columns.
pub(crate) fn columns(summaries: &[Summary], options: &ResampleOptions) -> Vec<(Column, ColumnAbout)> {
    match options.layout {
        Layout::Long => long(summaries, options),
        Layout::Wide => wide(summaries, options),
    }
}

fn time_columns(stamps: Vec<i64>, stops: Vec<i64>, options: &ResampleOptions) -> Vec<(Column, ColumnAbout)> {
    let words = match options.stamp {
        Stamp::Start => "start of the bin, UTC",
        Stamp::Centre => "centre of the bin, UTC",
        Stamp::MeanTime => "mean time of the samples of the bin, UTC",
    };
    let mut columns = vec![(columns::time("time", stamps), ColumnAbout::general("time", words))];
    if !matches!(options.bins, Bins::Grid(_)) {
        let about = ColumnAbout::general("stop", "end of the range or block, UTC, not inside");
        columns.push((columns::time("stop", stops), about));
    }
    columns
}

fn long(summaries: &[Summary], options: &ResampleOptions) -> Vec<(Column, ColumnAbout)> {
    // The bins of all mnemonics by time, those of one time in the order of the mnemonics.
    let mut order: Vec<(u32, u32)> = Vec::with_capacity(summaries.iter().map(|one| one.bins.len()).sum());
    for (number, one) in summaries.iter().enumerate() {
        order.extend((0..one.bins.len() as u32).map(|bin| (number as u32, bin)));
    }
    if summaries.len() > 1 || options.stamp == Stamp::MeanTime {
        order.sort_by_key(|(number, bin)| summaries[*number as usize].stamps[*bin as usize]);
    }
    let rows = || order.iter().map(|(number, bin)| (&summaries[*number as usize], *bin as usize));
    let stamps = rows().map(|(one, bin)| one.stamps[bin]).collect();
    let stops = rows().map(|(one, bin)| one.bins[bin].1).collect();
    let mut columns = time_columns(stamps, stops, options);
    let names = columns::words("mnemonic", rows().map(|(one, _)| Some(one.mnemonic.as_str())));
    columns.push((names, ColumnAbout::general("mnemonic", "whose statistics")));
    let unit = match summaries {
        [first, rest @ ..] if rest.iter().all(|one| one.unit == first.unit) => first.unit.as_str(),
        _ => "",
    };
    for (at, &statistic) in options.statistics.iter().enumerate() {
        let word = statistic.word();
        let column = match statistic {
            Statistic::Count => {
                columns::integer(&word, rows().map(|(one, bin)| Some(one.counts[bin] as i64)))
            }
            Statistic::Fraction => {
                let states = |one: &Summary| {
                    one.states(at).into_iter().flat_map(BTreeMap::keys).cloned().collect::<Vec<_>>()
                };
                let names: BTreeSet<Arc<str>> = summaries.iter().flat_map(states).collect();
                for name in names {
                    let cell = |(one, bin): (&Summary, usize)| one.states(at)?.get(&name)?.get(bin);
                    let title = format!("fraction_{name}");
                    let about =
                        ColumnAbout::general(&title, &format!("fraction of the known time spent in {name}"));
                    columns.push((columns::real(&title, rows().map(cell)), about));
                }
                continue;
            }
            Statistic::ClippedCount => {
                columns::integer(&word, rows().map(|(one, bin)| one.real(at, bin).map(|count| count as i64)))
            }
            _ => columns::real(&word, rows().map(|(one, bin)| one.real(at, bin))),
        };
        let unit = if statistic.has_unit() { unit.to_owned() } else { String::new() };
        columns.push((column, ColumnAbout { unit, ..ColumnAbout::general(&word, statistic.description()) }));
    }
    let has_text = summaries.iter().any(|one| one.kind == ValueKind::Text);
    for (at, statistic) in options.statistics.iter().enumerate().filter(|_| has_text) {
        if matches!(statistic, Statistic::First | Statistic::Last) {
            let name = format!("{}_text", statistic.word());
            let texts = columns::words(&name, rows().map(|(one, bin)| one.text(at, bin)));
            columns.push((texts, ColumnAbout::general(&name, statistic.description())));
        }
    }
    columns
}

fn wide(summaries: &[Summary], options: &ResampleOptions) -> Vec<(Column, ColumnAbout)> {
    let bins: BTreeMap<(i64, i64), i64> =
        summaries.iter().flat_map(|one| one.bins.iter().copied().zip(one.stamps.iter().copied())).collect();
    let stamps = bins.values().copied().collect();
    let mut columns = time_columns(stamps, bins.keys().map(|bin| bin.1).collect(), options);
    let bins: Vec<(i64, i64)> = bins.into_keys().collect();
    for one in summaries {
        // Where each row of the table is among the bins of this mnemonic.
        let mut own = one.bins.iter().enumerate().peekable();
        let places: Vec<Option<usize>> =
            bins.iter().map(|bin| own.next_if(|(_, own)| *own == bin).map(|(at, _)| at)).collect();
        let reals = |cells: &Cells| {
            let mut all = Cells::with_capacity(places.len());
            places.iter().for_each(|place| all.push(place.and_then(|at| cells.get(at))));
            all
        };
        for (statistic, column) in options.statistics.iter().zip(&one.columns) {
            let name = format!("{}_{}", one.mnemonic, statistic.word());
            let about = |name: &str, words: &str| ColumnAbout {
                name: name.to_owned(),
                mnemonic: Some(one.mnemonic.clone()),
                unit: if statistic.has_unit() { one.unit.clone() } else { String::new() },
                description: format!("{words} of {}", one.description),
            };
            match (statistic, column) {
                (Statistic::Count, _) => {
                    let counts = places.iter().map(|place| place.map(|at| one.counts[at] as i64));
                    columns.push((columns::integer(&name, counts), about(&name, statistic.description())));
                }
                (Statistic::ClippedCount, StatisticColumn::Reals(cells)) => {
                    let counts = reals(cells);
                    let counts = counts.iter().map(|count| count.map(|count| count as i64));
                    columns.push((columns::integer(&name, counts), about(&name, statistic.description())));
                }
                (_, StatisticColumn::Reals(cells)) => {
                    columns
                        .push((columns::cells(&name, reals(cells)), about(&name, statistic.description())));
                }
                (_, StatisticColumn::Texts(texts)) => {
                    let texts = places.iter().map(|place| place.and_then(|at| texts[at].as_deref()));
                    columns.push((columns::words(&name, texts), about(&name, statistic.description())));
                }
                (_, StatisticColumn::States(states)) => {
                    for (state, cells) in states {
                        let name = format!("{name}_{state}");
                        let words = format!("fraction of the known time spent in {state},");
                        columns.push((columns::cells(&name, reals(cells)), about(&name, &words)));
                    }
                }
                (_, StatisticColumn::Count | StatisticColumn::None) => {}
            }
        }
    }
    columns
}
