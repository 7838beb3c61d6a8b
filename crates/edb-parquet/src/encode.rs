//! The bodies of pages, before compression.
//!
//! Parquet lets a writer choose the width in which dictionary codes and differences are packed. All of ours are whole bytes: packed
//! bits would take less room before compression, but hide every repetition from it, and a real series is then a third larger.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// Values in a block of differences, and in each of the four parts that have widths of their own; the sizes all writers use.
pub(crate) const DELTA_BLOCK: usize = 128;
pub(crate) const DELTA_PARTS: usize = 4;

/// Definition levels of an optional column as runs, behind their length in bytes. `missing` ascends.
pub(crate) fn levels(rows: usize, missing: &[usize], out: &mut Vec<u8>) {
    let mut runs = Vec::new();
    let mut run = |length: usize, level: u8| {
        if length > 0 {
            varint((length as u64) << 1, &mut runs);
            runs.push(level);
        }
    };
    let (mut row, mut at) = (0, 0);
    while at < missing.len() {
        let first = missing[at];
        let length = missing[at..].iter().zip(first..).take_while(|(row, next)| *row == next).count();
        run(first - row, 1);
        run(length, 0);
        row = first + length;
        at += length;
    }
    run(rows - row, 1);
    out.extend_from_slice(&(runs.len() as u32).to_le_bytes());
    out.append(&mut runs);
}

/// Definition levels of rows none of which has a value.
pub(crate) fn no_levels(rows: usize, out: &mut Vec<u8>) {
    let mut run = Vec::new();
    varint((rows as u64) << 1, &mut run);
    run.push(0);
    out.extend_from_slice(&(run.len() as u32).to_le_bytes());
    out.append(&mut run);
}

/// Dictionary codes in whole bytes, behind that width; one run if all are the same.
pub(crate) fn codes(codes: &[u32], words: usize, out: &mut Vec<u8>) {
    let bytes = match words {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        0x1_0001..=0x100_0000 => 3,
        _ => 4,
    };
    out.push(bytes as u8 * 8);
    let Some(first) = codes.first() else { return };
    if codes.iter().all(|code| code == first) {
        varint((codes.len() as u64) << 1, out);
        out.extend_from_slice(&first.to_le_bytes()[..bytes]);
        return;
    }
    let groups = codes.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    out.reserve(groups * 8 * bytes);
    match bytes {
        1 => out.extend(codes.iter().map(|code| *code as u8)),
        2 => codes.iter().for_each(|code| out.extend_from_slice(&(*code as u16).to_le_bytes())),
        _ => codes.iter().for_each(|code| out.extend_from_slice(&code.to_le_bytes()[..bytes])),
    }
    out.resize(out.len() + (groups * 8 - codes.len()) * bytes, 0);
}

/// Differences (`DELTA_BINARY_PACKED`), which wrap around as the format has it.
pub(crate) fn delta(values: &[i64], out: &mut Vec<u8>) {
    let (first, rest) = values.split_first().map_or((0, values), |(first, rest)| (*first, rest));
    varint(DELTA_BLOCK as u64, out);
    varint(DELTA_PARTS as u64, out);
    varint(values.len() as u64, out);
    zigzag(first, out);
    let mut before = first;
    let mut differences = Vec::with_capacity(DELTA_BLOCK);
    for block in rest.chunks(DELTA_BLOCK) {
        differences.clear();
        for value in block {
            differences.push(value.wrapping_sub(before));
            before = *value;
        }
        let least = differences.iter().copied().min().unwrap_or(0);
        zigzag(least, out);
        let widths = out.len();
        out.extend_from_slice(&[0; DELTA_PARTS]);
        for (part, values) in differences.chunks(DELTA_BLOCK / DELTA_PARTS).enumerate() {
            let beyond = |value: &i64| value.wrapping_sub(least) as u64;
            let most = values.iter().map(beyond).max().unwrap_or(0);
            let bytes = (64 - most.leading_zeros() as usize).div_ceil(8);
            out[widths + part] = bytes as u8 * 8;
            values.iter().for_each(|value| out.extend_from_slice(&beyond(value).to_le_bytes()[..bytes]));
            out.resize(out.len() + (DELTA_BLOCK / DELTA_PARTS - values.len()) * bytes, 0);
        }
    }
}

/// Eight bytes each (`PLAIN`).
pub(crate) fn plain(values: impl Iterator<Item = [u8; 8]>, out: &mut Vec<u8>) {
    values.for_each(|value| out.extend_from_slice(&value));
}

/// Real numbers as they are (`PLAIN`).
pub(crate) fn plain_reals(values: &[f64], out: &mut Vec<u8>) {
    plain(values.iter().map(|value| value.to_le_bytes()), out);
}

/// The first bytes of all values, then the second ones, and so on (`BYTE_STREAM_SPLIT`).
pub(crate) fn split(values: &[f64], out: &mut Vec<u8>) {
    for plane in 0..8 {
        out.extend(values.iter().map(|value| value.to_le_bytes()[plane]));
    }
}

/// Words with their lengths before them (`PLAIN`).
pub(crate) fn words<'a>(words: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
    for word in words {
        out.extend_from_slice(&(word.len() as u32).to_le_bytes());
        out.extend_from_slice(word.as_bytes());
    }
}

/// The distinct values of a column, and where each row finds its own.
pub(crate) struct Dictionary<T> {
    pub(crate) words: Vec<T>,
    pub(crate) codes: Vec<u32>,
}

impl<T: Copy + Eq + Hash + Ord> Dictionary<T> {
    /// The dictionary of `values`, ascending, unless it would have more than `most` words.
    pub(crate) fn of(values: impl Iterator<Item = T>, most: usize) -> Option<Self> {
        let mut index: HashMap<T, u32, BuildHasherDefault<Mixer>> = HashMap::default();
        let (mut words, mut codes) = (Vec::new(), Vec::with_capacity(values.size_hint().0));
        let mut last = None;
        for value in values {
            // Telemetry repeats itself.
            if let Some((before, code)) = last
                && before == value
            {
                codes.push(code);
                continue;
            }
            let code = *index.entry(value).or_insert_with(|| {
                words.push(value);
                words.len() as u32 - 1
            });
            if words.len() > most {
                return None;
            }
            codes.push(code);
            last = Some((value, code));
        }
        // In order, so that a small change of the value is a small change of the code.
        let mut order: Vec<u32> = (0..words.len() as u32).collect();
        order.sort_unstable_by_key(|code| words[*code as usize]);
        let mut rank = vec![0; words.len()];
        order.iter().zip(0..).for_each(|(code, place)| rank[*code as usize] = place);
        codes.iter_mut().for_each(|code| *code = rank[*code as usize]);
        words = order.iter().map(|code| words[*code as usize]).collect();
        Some(Self { words, codes })
    }
}

/// A double as an integer of the same order (that of `f64::total_cmp`).
pub(crate) fn ordered(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The double of [`ordered`].
pub(crate) fn unordered(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63) as u64 >> 1) as i64) as u64)
}

/// A quick mixing of eight bytes: the keys are measurements, not an adversary's.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value as u64);
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63) as u64, out);
}
