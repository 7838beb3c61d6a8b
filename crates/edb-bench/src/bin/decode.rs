//! How fast an EDB answer is decoded, and in how much memory.
//!
//! ```text
//! decode generate FILE ROWS [real|int|text]    writes a synthetic answer, one row every 256 ms
//! decode run FILE [CHUNK_BYTES]         decodes it from disk and from memory, on one thread, best of five
//! decode peak FILE [CHUNK_BYTES]        decodes it once and compares peak memory with the columns
//! ```
//! `peers/decode.py` does the same work with other libraries on the same file.
#![allow(clippy::disallowed_methods, reason = "a benchmark makes its own input")]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::time::Instant;

use edb_bench::{cpu_seconds, memory_bytes};
use edb_core::{Error, Nulls, Result, Samples, SqlType, TextColumn, Values};
use edb_wire::{Decoded, Decoder, Encoder};

const ROUNDS: usize = 5;
const CHUNK_BYTES: usize = 256 << 10;
/// 2022-06-01T00:00:00Z.
const START_MICROS: i64 = 1_654_041_600_000_000;
const STEP_MICROS: i64 = 256_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| {
        text.replace('_', "").parse::<usize>().map_err(|_| Error::usage(format!("`{text}` is no number")))
    };
    match arguments[..] {
        ["generate", file, rows] => generate(file, number(rows)?, "real"),
        ["generate", file, rows, kind] => generate(file, number(rows)?, kind),
        ["run", file] => run(file, CHUNK_BYTES),
        ["run", file, chunk] => run(file, number(chunk)?),
        ["peak", file] => peak(file, CHUNK_BYTES),
        ["peak", file, chunk] => peak(file, number(chunk)?),
        _ => Err(Error::usage("expected `generate FILE ROWS [real|int|text]`, `run FILE` or `peak FILE`")),
    }
}

/// A smooth curve with noise in all ten decimals, as real attitude telemetry has.
fn generate(file: &str, rows: usize, kind: &str) -> Result<()> {
    let failed = |error| Error::disk("write", file.as_ref(), error);
    let noise = |row: usize| {
        let mixed = (row as u64 ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        (mixed ^ mixed >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 40
    };
    let times = (0..rows as i64).map(|row| START_MICROS + row * STEP_MICROS).collect();
    let curve = |row: usize| 12.0 * (row as f64 * 1e-5).sin() + noise(row) as f64 * 1e-9;
    let (sql_type, values) = match kind {
        "int" => (SqlType::Int, Values::Integer((0..rows).map(|row| (curve(row) * 1e3) as i64).collect())),
        "text" => {
            let mut column = TextColumn::default();
            let states = ["MOVING", "FINISHED", "ON"];
            (0..rows).for_each(|row| column.push(states[(curve(row).abs() / 6.0) as usize % 3]));
            (SqlType::Varchar, Values::Text(column))
        }
        _ => (SqlType::Float, Values::real((0..rows).map(curve).collect())),
    };
    let (samples, _) = Samples::from_columns(sql_type, times, values, Nulls::none())?;
    let mut out = BufWriter::new(File::create(file).map_err(failed)?);
    Encoder::new(samples).try_for_each(|chunk| out.write_all(&chunk)).map_err(failed)?;
    out.flush().map_err(failed)
}

/// Reads `file` in chunks as a socket would deliver them.
fn decode_file(file: &str, chunk_bytes: usize) -> Result<Decoded> {
    let failed = |error| Error::disk("read", file.as_ref(), error);
    let mut input = File::open(file).map_err(failed)?;
    let mut chunk = vec![0; chunk_bytes];
    let mut decoder = Decoder::new();
    loop {
        match input.read(&mut chunk).map_err(failed)? {
            0 => return decoder.finish(),
            read => decoder.feed(&chunk[..read])?,
        }
    }
}

fn decode_memory(body: &[u8], chunk_bytes: usize) -> Result<Decoded> {
    let mut decoder = Decoder::new();
    body.chunks(chunk_bytes).try_for_each(|chunk| decoder.feed(chunk))?;
    decoder.finish()
}

fn run(file: &str, chunk_bytes: usize) -> Result<()> {
    best(&format!("file, chunks of {} KiB", chunk_bytes >> 10), || decode_file(file, chunk_bytes))?;
    println!("peak resident memory {:.1} MB", memory_bytes("VmHWM") as f64 / 1e6);
    let body = std::fs::read(file).map_err(|error| Error::disk("read", file.as_ref(), error))?;
    best("memory, same chunks", || decode_memory(&body, chunk_bytes))?;
    let samples = decode_memory(&body, chunk_bytes)?.samples;
    best("encoding into memory", || {
        let bytes: usize = Encoder::new(samples.clone()).map(|chunk| chunk.len()).sum();
        assert_eq!(bytes, body.len(), "the same bytes");
        Ok(Decoded { samples: samples.clone(), misplaced: 0 })
    })
}

fn best(name: &str, work: impl Fn() -> Result<Decoded>) -> Result<()> {
    let (mut cpu, mut wall, mut rows) = (f64::INFINITY, f64::INFINITY, 0);
    for _ in 0..ROUNDS {
        let (cpu_before, wall_before) = (cpu_seconds(), Instant::now());
        rows = work()?.samples.len();
        cpu = cpu.min(cpu_seconds() - cpu_before);
        wall = wall.min(wall_before.elapsed().as_secs_f64());
    }
    let rate = rows as f64 / cpu / 1e6;
    println!("{name}: {rows} rows, {cpu:.4} CPU s, {wall:.3} s, {rate:.1} M rows per CPU second");
    Ok(())
}

fn peak(file: &str, chunk_bytes: usize) -> Result<()> {
    let before = memory_bytes("VmHWM");
    let decoded = decode_file(file, chunk_bytes)?;
    let columns = decoded.samples.len() as u64 * 16;
    let peak = memory_bytes("VmHWM");
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let beyond = peak.saturating_sub(columns);
    println!(
        "body {:.1} MB, {} rows, columns {:.1} MB, peak {:.1} MB ({:.1} MB before), beyond the columns {:.1} MB",
        bytes as f64 / 1e6,
        decoded.samples.len(),
        columns as f64 / 1e6,
        peak as f64 / 1e6,
        before as f64 / 1e6,
        beyond as f64 / 1e6
    );
    Ok(())
}
