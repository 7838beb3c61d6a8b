use std::fs;
use std::path::Path;

use crate::invariant;

#[test]
fn the_corpus_keeps_the_invariant() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/decode");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 20, "the corpus has {} files", files.len());
    for file in files {
        let body = fs::read(&file).unwrap();
        std::panic::catch_unwind(|| invariant::check(&body)).unwrap_or_else(|_| panic!("{}", file.display()));
    }
}
