//! Our columns as Polars columns.

use std::sync::Arc;

use edb_series::align::Cells;
use polars::prelude::{
    ChunkedArray, Column, Float64Type, Int64Chunked, Int64Type, IntoColumn, NewChunkedArray, StringChunked,
    TimeUnit, TimeZone,
};
use polars_arrow::bitmap::Bitmap;

/// Microseconds as `Datetime[µs, UTC]`.
pub(crate) fn time(name: &str, times: Vec<i64>) -> Column {
    let micros = Int64Chunked::from_vec(name.into(), times);
    micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
}

/// Optional microseconds as `Datetime[µs, UTC]`.
pub(crate) fn optional_time(name: &str, times: impl Iterator<Item = Option<i64>>) -> Column {
    let (times, is_known) = unzip(times);
    let micros = integers_of(name, times, &is_known);
    micros.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
}

/// One bit a cell; none where all are known. (From a slice of `bool`, Polars makes it in four times the time.)
fn validity(is_known: &[bool]) -> Option<Bitmap> {
    if is_known.iter().fold(true, |all, is_known| all & is_known) {
        return None;
    }
    let (eights, rest) = is_known.as_chunks::<8>();
    // Times this, byte i of a word of zeros and ones is bit i of its highest byte.
    let pack = |eight: [bool; 8]| {
        (u64::from_le_bytes(eight.map(u8::from)).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    };
    let mut last = [false; 8];
    last[..rest.len()].copy_from_slice(rest);
    let bytes = eights.iter().copied().chain((!rest.is_empty()).then_some(last)).map(pack);
    Some(Bitmap::from_u8_vec(bytes.collect(), is_known.len()))
}

/// Real numbers, without a copy.
pub(crate) fn cells(name: &str, cells: Cells) -> Column {
    let known = validity(&cells.is_known);
    ChunkedArray::<Float64Type>::from_vec_validity(name.into(), cells.values, known).into_column()
}

/// Optional real numbers.
pub(crate) fn real(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    let mut all = Cells::default();
    values.for_each(|value| all.push(value));
    cells(name, all)
}

fn unzip(values: impl Iterator<Item = Option<i64>>) -> (Vec<i64>, Vec<bool>) {
    values.map(|value| (value.unwrap_or_default(), value.is_some())).unzip()
}

fn integers_of(name: &str, values: Vec<i64>, is_known: &[bool]) -> Int64Chunked {
    let known = validity(is_known);
    ChunkedArray::<Int64Type>::from_vec_validity(name.into(), values, known)
}

/// Optional integers.
pub(crate) fn integer(name: &str, values: impl Iterator<Item = Option<i64>>) -> Column {
    let (values, is_known) = unzip(values);
    integers_of(name, values, &is_known).into_column()
}

/// Optional texts.
pub(crate) fn words<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}

/// Optional texts that are shared.
pub(crate) fn text(name: &str, values: impl Iterator<Item = Option<Arc<str>>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_has_a_bit_for_each_cell() {
        for rows in 0..40 {
            for unknown in 0..rows {
                let is_known: Vec<bool> = (0..rows).map(|row| row % (unknown + 1) != unknown).collect();
                let bits = validity(&is_known).unwrap();
                assert_eq!(bits.iter().collect::<Vec<_>>(), is_known, "{rows} {unknown}");
            }
            assert!(validity(&vec![true; rows]).is_none());
        }
    }
}
