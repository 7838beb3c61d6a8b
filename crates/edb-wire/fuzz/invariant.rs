// What holds for any bytes whatever. Shared by the fuzz target and by the test that replays its corpus.

use edb_wire::{Decoder, decode, encode};

/// Decoding never panics, is the same for any chunking, and what it accepts survives being encoded and decoded again.
pub(crate) fn check(bytes: &[u8]) {
    let whole = decode(bytes);
    for size in [1, 2, 7, 64, 1000] {
        let mut decoder = Decoder::new();
        let fed = bytes.chunks(size).try_for_each(|chunk| decoder.feed(chunk));
        let chunked = fed.and_then(|()| decoder.finish());
        match (&whole, &chunked) {
            (Ok(whole), Ok(chunked)) => assert_eq!(whole, chunked, "chunks of {size}"),
            (Err(whole), Err(chunked)) => assert_eq!(whole.kind(), chunked.kind(), "chunks of {size}"),
            (whole, chunked) => panic!("chunks of {size}: {whole:?} but {chunked:?}"),
        }
    }
    if let Ok(first) = whole
        && !first.samples.is_empty()
    {
        let again = decode(&encode(&first.samples)).expect("what was encoded decodes").samples;
        assert_eq!(again.times(), first.samples.times());
        assert_eq!(again.nulls(), first.samples.nulls());
        // Ten decimals end the precision of small values: from the second time on nothing changes.
        assert_eq!(decode(&encode(&again)).expect("and again").samples, again);
    }
}
