//! What holds for any bytes whatever. Shared by the fuzz target and the ordinary test `replay`.

use edb_wire::{Decoded, Decoder, Encoder, decode};

/// # Panics
/// If how `body` is cut changes what is decoded from it, or if what is decoded does not survive being printed.
pub(crate) fn check(body: &[u8]) {
    let whole = decode(body).map_err(|error| error.to_string());
    // Sizes that end inside fields, at line ends, and never.
    for size in [1, 7, 64, 1000] {
        assert_eq!(in_chunks(body, size), whole, "chunks of {size} bytes");
    }
    let Ok(Decoded { samples, .. }) = whole else { return };
    if samples.is_empty() {
        return;
    }
    // Printing rounds to ten decimals, so the first print may differ; from then on nothing may change.
    let printed: Vec<u8> = Encoder::new(samples.clone()).flatten().collect();
    let again = decode(&printed).expect("what was printed is read").samples;
    assert_eq!(again.times(), samples.times());
    assert_eq!(again.nulls(), samples.nulls());
    assert_eq!(again.sql_type(), samples.sql_type());
    let printed_again: Vec<u8> = Encoder::new(again.clone()).flatten().collect();
    assert_eq!(printed_again, printed);
    if samples.sql_type().kind() != edb_core::ValueKind::Real {
        assert_eq!(again, samples);
    }
}

fn in_chunks(body: &[u8], size: usize) -> Result<Decoded, String> {
    let mut decoder = Decoder::new();
    body.chunks(size).try_for_each(|chunk| decoder.feed(chunk)).map_err(|error| error.to_string())?;
    decoder.finish().map_err(|error| error.to_string())
}
