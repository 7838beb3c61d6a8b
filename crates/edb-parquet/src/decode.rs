//! The bodies of pages, after decompression: what [`crate::encode`] writes, and the same encodings in any other width.

use edb_core::{Nulls, TextColumn};
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::column::page::Page;
use parquet::errors::ParquetError;

use crate::column::OwnedColumn;

type Result<T> = std::result::Result<T, ParquetError>;

/// The words of a dictionary page, as the column keeps its values.
pub(crate) enum Words {
    /// None has come.
    None,
    /// Times and integers.
    Integer(Vec<i64>),
    /// Real numbers.
    Real(Vec<f64>),
    /// Codes of the words in the column that is read into.
    Text(Vec<u32>),
}

/// Reads a dictionary page for `column`.
pub(crate) fn dictionary(page: &Page, column: &mut OwnedColumn) -> Result<Words> {
    let count = page.num_values() as usize;
    let mut body = Body(page.buffer());
    Ok(match column {
        OwnedColumn::Time(_) | OwnedColumn::Integer(_) => {
            let mut words = Vec::new();
            plain(&mut body, count, i64::from_le_bytes, &mut words)?;
            Words::Integer(words)
        }
        OwnedColumn::Real(_) => {
            let mut words = Vec::new();
            plain(&mut body, count, f64::from_le_bytes, &mut words)?;
            Words::Real(words)
        }
        OwnedColumn::Text(text) => {
            let mut codes = Vec::new();
            each_word(&mut body, count, |word| codes.push(text.intern(word)))?;
            Words::Text(codes)
        }
    })
}

/// Appends a data page to `column`, and the rows without a value to `nulls`.
pub(crate) fn data(
    page: &Page,
    is_optional: bool,
    words: &Words,
    column: &mut OwnedColumn,
    nulls: &mut Nulls,
) -> Result<()> {
    let Page::DataPage { buf, num_values, encoding, .. } = page else {
        return Err(corrupt("expected a data page of the first version"));
    };
    let rows = *num_values as usize;
    let mut body = Body(buf);
    let missing = if is_optional { levels(&mut body, rows)? } else { Vec::new() };
    let present = rows - missing.len();
    let before = column.len();
    match column {
        OwnedColumn::Time(values) | OwnedColumn::Integer(values) => {
            match (*encoding, words) {
                (Encoding::DELTA_BINARY_PACKED, _) => delta(&mut body, present, values)?,
                (Encoding::PLAIN, _) => plain(&mut body, present, i64::from_le_bytes, values)?,
                (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, Words::Integer(words)) => {
                    look_up(&mut body, present, words, values)?;
                }
                (other, _) => return Err(unknown(other, PhysicalType::INT64)),
            }
            spread(values, before, rows, &missing);
        }
        OwnedColumn::Real(values) => {
            match (*encoding, words) {
                (Encoding::BYTE_STREAM_SPLIT, _) => split(&mut body, present, values)?,
                (Encoding::PLAIN, _) => plain(&mut body, present, f64::from_le_bytes, values)?,
                (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, Words::Real(words)) => {
                    look_up(&mut body, present, words, values)?;
                }
                (other, _) => return Err(unknown(other, PhysicalType::DOUBLE)),
            }
            spread(values, before, rows, &missing);
        }
        OwnedColumn::Text(text) => {
            let mut codes = Vec::with_capacity(rows);
            match (*encoding, words) {
                (Encoding::PLAIN, _) => each_word(&mut body, present, |word| codes.push(text.intern(word)))?,
                (Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY, Words::Text(words)) => {
                    look_up(&mut body, present, words, &mut codes)?;
                }
                (other, _) => return Err(unknown(other, PhysicalType::BYTE_ARRAY)),
            }
            push_codes(text, codes, rows, &missing)?;
        }
    }
    missing.iter().for_each(|row| nulls.push(before + row));
    Ok(())
}

fn push_codes(text: &mut TextColumn, mut codes: Vec<u32>, rows: usize, missing: &[usize]) -> Result<()> {
    if !missing.is_empty() {
        let empty = text.intern("");
        spread(&mut codes, 0, rows, missing);
        missing.iter().for_each(|row| codes[*row] = empty);
    }
    text.push_codes(&codes).map_err(|error| ParquetError::External(Box::new(error)))
}

/// Moves the values from row `before` on apart, so that those at the `missing` rows are there, with nothing in them.
fn spread<T: Copy + Default>(values: &mut Vec<T>, before: usize, rows: usize, missing: &[usize]) {
    if missing.is_empty() {
        return;
    }
    let mut from = values.len();
    values.resize(before + rows, T::default());
    let mut missing = missing.iter().rev().peekable();
    for row in (0..rows).rev() {
        values[before + row] = if missing.next_if(|next| **next == row).is_some() {
            T::default()
        } else {
            from -= 1;
            values[from]
        };
    }
}

/// What is left of a page's body.
struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(ended)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn four(&mut self) -> Result<usize> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(corrupt("a number is longer than 64 bits"))
    }

    fn zigzag(&mut self) -> Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

fn corrupt(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

fn ended() -> ParquetError {
    ParquetError::EOF("a page ends before its values do".to_owned())
}

fn unknown(encoding: Encoding, values: PhysicalType) -> ParquetError {
    ParquetError::NYI(format!("could not read {values} values that are encoded as {encoding}"))
}

/// The rows of a page without a value, from the definition levels at its beginning.
fn levels(body: &mut Body<'_>, rows: usize) -> Result<Vec<usize>> {
    let length = body.four()?;
    let mut runs = Body(body.take(length)?);
    let mut missing = Vec::new();
    let mut row = 0;
    while row < rows {
        let header = runs.varint()?;
        if header < 2 {
            return Err(corrupt("a run of levels is empty"));
        }
        let most = rows - row;
        if header & 1 == 0 {
            let length = usize::try_from(header >> 1).unwrap_or(usize::MAX).min(most);
            if runs.byte()? == 0 {
                missing.extend(row..row + length);
            }
            row += length;
        } else {
            let groups = usize::try_from(header >> 1).unwrap_or(usize::MAX);
            let bytes = runs.take(groups)?;
            let length = groups.saturating_mul(8).min(most);
            let is_missing = |at: &usize| bytes[at / 8] >> (at % 8) & 1 == 0;
            missing.extend((0..length).filter(is_missing).map(|at| row + at));
            row += length;
        }
    }
    Ok(missing)
}

/// Values by their codes in a dictionary.
fn look_up<T: Copy>(body: &mut Body<'_>, count: usize, words: &[T], out: &mut Vec<T>) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let width = usize::from(body.byte()?);
    if width > 32 {
        return Err(corrupt("dictionary codes are wider than 32 bits"));
    }
    let outside =
        |code: usize| corrupt(&format!("code {code} points outside a dictionary of {} words", words.len()));
    let mut left = count;
    while left > 0 {
        let header = usize::try_from(body.varint()?).unwrap_or(usize::MAX);
        if header < 2 {
            return Err(corrupt("a run of codes is empty"));
        }
        if header & 1 == 0 {
            let mut code = [0; 4];
            let bytes = width.div_ceil(8);
            code[..bytes].copy_from_slice(body.take(bytes)?);
            let code = u32::from_le_bytes(code) as usize;
            let word = *words.get(code).ok_or_else(|| outside(code))?;
            let length = (header >> 1).min(left);
            out.resize(out.len() + length, word);
            left -= length;
            continue;
        }
        let groups = header >> 1;
        let packed = body.take(groups.checked_mul(width).ok_or_else(ended)?)?;
        let length = groups.saturating_mul(8).min(left);
        // The largest code is looked for first: the loop that looks words up then has nothing to report.
        match width {
            8 => {
                let packed = &packed[..length];
                let most = usize::from(packed.iter().copied().max().unwrap_or(0));
                let words = words.get(..=most).ok_or_else(|| outside(most))?;
                out.extend(packed.iter().map(|code| words[usize::from(*code)]));
            }
            16 => {
                let codes = packed[..length * 2]
                    .as_chunks()
                    .0
                    .iter()
                    .map(|code| usize::from(u16::from_le_bytes(*code)));
                let most = codes.clone().max().unwrap_or(0);
                let words = words.get(..=most).ok_or_else(|| outside(most))?;
                out.extend(codes.map(|code| words[code]));
            }
            _ => {
                let mut bits = Bits::new(packed, width);
                for _ in 0..length {
                    let code = bits.next() as usize;
                    out.push(*words.get(code).ok_or_else(|| outside(code))?);
                }
            }
        }
        left -= length;
    }
    Ok(())
}

/// Differences.
fn delta(body: &mut Body<'_>, count: usize, out: &mut Vec<i64>) -> Result<()> {
    let block = usize::try_from(body.varint()?).unwrap_or(0);
    let parts = usize::try_from(body.varint()?).unwrap_or(0);
    let total = usize::try_from(body.varint()?).unwrap_or(usize::MAX);
    let mut last = body.zigzag()?;
    if total != count {
        return Err(corrupt(&format!("expected {count} values in a page, found {total}")));
    }
    if parts == 0
        || block == 0
        || !block.is_multiple_of(128)
        || !block.is_multiple_of(parts * 32)
        || block > 1 << 20
    {
        return Err(corrupt("differences come in blocks of an unknown size"));
    }
    let part = block / parts;
    let mut left = count;
    if left > 0 {
        out.push(last);
        left -= 1;
    }
    while left > 0 {
        let least = body.zigzag()?;
        let widths = body.take(parts)?;
        for width in widths.iter().map(|width| usize::from(*width)) {
            if left == 0 {
                break;
            }
            if width > 64 {
                return Err(corrupt("differences are wider than 64 bits"));
            }
            let packed = body.take(part * width / 8)?;
            let length = part.min(left);
            let mut add = |difference: u64| {
                last = last.wrapping_add(least).wrapping_add(difference as i64);
                last
            };
            match width {
                0 => {
                    let from = last;
                    out.extend((1..=length as i64).map(|n| from.wrapping_add(least.wrapping_mul(n))));
                    last = from.wrapping_add(least.wrapping_mul(length as i64));
                }
                8 => out.extend(packed[..length].iter().map(|byte| add(u64::from(*byte)))),
                16 => {
                    let values = packed[..length * 2].as_chunks().0.iter();
                    out.extend(values.map(|bytes| add(u64::from(u16::from_le_bytes(*bytes)))));
                }
                _ => {
                    let mut bits = Bits::new(packed, width);
                    out.extend((0..length).map(|_| add(bits.next())));
                }
            }
            left -= length;
        }
    }
    Ok(())
}

fn plain<T>(body: &mut Body<'_>, count: usize, read: fn([u8; 8]) -> T, out: &mut Vec<T>) -> Result<()> {
    let bytes = body.take(count.checked_mul(8).ok_or_else(ended)?)?;
    out.extend(bytes.as_chunks().0.iter().map(|bytes| read(*bytes)));
    Ok(())
}

fn split(body: &mut Body<'_>, count: usize, out: &mut Vec<f64>) -> Result<()> {
    let bytes = body.take(count.checked_mul(8).ok_or_else(ended)?)?;
    let planes: [&[u8]; 8] = std::array::from_fn(|plane| &bytes[plane * count..(plane + 1) * count]);
    out.extend((0..count).map(|row| f64::from_le_bytes(planes.map(|plane| plane[row]))));
    Ok(())
}

fn each_word(body: &mut Body<'_>, count: usize, mut take: impl FnMut(&str)) -> Result<()> {
    for _ in 0..count {
        let length = body.four()?;
        let word = std::str::from_utf8(body.take(length)?);
        take(word.map_err(|error| ParquetError::External(Box::new(error)))?);
    }
    Ok(())
}

/// Numbers of one width, packed from the lowest bit on.
struct Bits<'a> {
    packed: &'a [u8],
    width: usize,
    at: usize,
}

impl<'a> Bits<'a> {
    fn new(packed: &'a [u8], width: usize) -> Self {
        Self { packed, width, at: 0 }
    }

    /// The next number; zeros follow the last.
    fn next(&mut self) -> u64 {
        let (byte, bit) = (self.at / 8, self.at % 8);
        self.at += self.width;
        let mut window = [0; 16];
        let rest = &self.packed[byte.min(self.packed.len())..];
        let length = rest.len().min(9);
        window[..length].copy_from_slice(&rest[..length]);
        let value = u128::from_le_bytes(window) >> bit;
        (value & ((1_u128 << self.width) - 1)) as u64
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// A data page as the reader hands it on.
    fn page(encoding: Encoding, count: usize, body: Vec<u8>) -> Page {
        Page::DataPage {
            buf: Bytes::from(body),
            num_values: count as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        }
    }

    #[test]
    fn differences_of_any_width_are_read() {
        // Widths that no value of ours has: 3 bits, as other writers pack them.
        let mut body = vec![0x80, 0x01, 4, 33, 0];
        body.extend([0, 3, 0, 0, 0]);
        let packed: u128 = (0..32).fold(0, |packed, at| packed | (at as u128 % 8) << (3 * at));
        body.extend_from_slice(&packed.to_le_bytes()[..12]);
        let mut column = OwnedColumn::Integer(Vec::new());
        data(
            &page(Encoding::DELTA_BINARY_PACKED, 33, body),
            false,
            &Words::None,
            &mut column,
            &mut Nulls::none(),
        )
        .unwrap();
        let OwnedColumn::Integer(values) = column else { panic!() };
        let expected: Vec<i64> = (0..33).map(|count| (0..count).map(|at| at % 8).sum()).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn codes_of_any_width_and_runs_are_read() {
        // A run of three, then eight codes of 3 bits each.
        let mut body = vec![3, 3 << 1, 5, 1 << 1 | 1];
        let packed: u32 = (0..8).fold(0, |packed, at| packed | at << (3 * at));
        body.extend_from_slice(&packed.to_le_bytes()[..3]);
        let words = Words::Real((0..8).map(f64::from).collect());
        let mut column = OwnedColumn::Real(Vec::new());
        let page_of = |body: &[u8]| page(Encoding::RLE_DICTIONARY, 10, body.to_vec());
        data(&page_of(&body), false, &words, &mut column, &mut Nulls::none()).unwrap();
        let OwnedColumn::Real(values) = &column else { panic!() };
        assert_eq!(values, &[5.0, 5.0, 5.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let short = Words::Real(vec![0.0; 5]);
        assert!(data(&page_of(&body), false, &short, &mut column, &mut Nulls::none()).is_err());
    }

    #[test]
    fn bytes_that_mean_nothing_are_errors() {
        let encodings = [
            Encoding::PLAIN,
            Encoding::RLE_DICTIONARY,
            Encoding::DELTA_BINARY_PACKED,
            Encoding::BYTE_STREAM_SPLIT,
        ];
        let mut state = 7_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        };
        for round in 0..20_000 {
            let body: Vec<u8> = (0..usize::from(random()) % 40).map(|_| random()).collect();
            let count = usize::from(random()) % 50;
            let words = Words::Real(vec![1.0; usize::from(random()) % 9]);
            let mut column = OwnedColumn::Real(Vec::new());
            let mut nulls = Nulls::none();
            let page = page(encodings[round % 4], count, body);
            // Whatever comes of it has as many rows as the page says, or is an error; it never panics.
            if data(&page, round % 8 < 4, &words, &mut column, &mut nulls).is_ok() {
                assert_eq!(column.len(), count, "round {round}");
            }
            let mut column = OwnedColumn::Time(Vec::new());
            if data(&page, round % 8 < 4, &Words::None, &mut column, &mut Nulls::none()).is_ok() {
                assert_eq!(column.len(), count, "round {round}");
            }
        }
    }
}
