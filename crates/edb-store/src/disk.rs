//! Segments on disk.

use std::fs::{self, File};
use std::io::{self, ErrorKind as IoErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use edb_core::atomic::{self, AtomicFile};
use edb_core::{Coverage, Dictionary, Error, ErrorKind, Mnemonic, Result};
use serde::{Deserialize, Serialize};

use crate::{Header, Segment, Store, dictionary_file};

/// The version of the store's format that this code writes and reads.
pub(crate) const FORMAT: u32 = 1;
const STORE_FILE: &str = "edb-store.json";
const DICTIONARY_FILE: &str = "dictionary.json";
const SAMPLES_FOLDER: &str = "samples";
const PARTITION: &str = "mnemonic=";

/// A store in a folder.
#[derive(Debug, Clone)]
pub struct DiskStore {
    root: PathBuf,
}

/// What a store holds of one mnemonic.
#[derive(Debug, Clone)]
pub struct MnemonicStatus {
    /// Whose.
    pub mnemonic: Mnemonic,
    /// Number of segments.
    pub segments: usize,
    /// Rows in these segments; a sample that two of them prove counts twice.
    pub rows: usize,
    /// Bytes on disk.
    pub size_bytes: u64,
    /// The ranges in which every sample is known.
    pub known: Coverage,
    /// The part of it that is provisional.
    pub provisional: Coverage,
}

#[derive(Serialize, Deserialize)]
struct StoreFile {
    format: u32,
}

pub(crate) fn unknown_format(found: u32) -> Error {
    Error::new(ErrorKind::Disk, format!("expected store format {FORMAT}, found {found}"))
        .with_hint("use a version of edb that knows this format")
}

impl DiskStore {
    /// Opens the store in `root`.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] if there is none, it cannot be read, or its format is not this version's.
    pub fn open(root: &Path) -> Result<Self> {
        let path = root.join(STORE_FILE);
        let text = fs::read(&path).map_err(|error| {
            let hint = "name the folder of a store (one that holds `edb-store.json`), or make one with \
                 `edb store import`";
            Error::disk("open the store", root, error).with_hint(hint)
        })?;
        let file: StoreFile = serde_json::from_slice(&text).map_err(|error| {
            Error::new(ErrorKind::Disk, format!("could not read `{}`", path.display())).caused_by(error)
        })?;
        if file.format != FORMAT {
            return Err(unknown_format(file.format));
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Opens the store in `root`, or makes an empty one there if the folder is missing or empty.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] as for [`open`](Self::open), and if the folder holds something else.
    pub fn open_or_create(root: &Path) -> Result<Self> {
        if root.join(STORE_FILE).exists() {
            return Self::open(root);
        }
        if fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(Error::new(
                ErrorKind::Disk,
                format!(
                    "could not make a store in `{}`: the folder holds something else, and no `{STORE_FILE}`",
                    root.display()
                ),
            )
            .with_hint("name an empty folder, or one that does not exist yet"));
        }
        let text = format!("{{\"format\": {FORMAT}}}\n");
        atomic::write(&root.join(STORE_FILE), text.as_bytes())?;
        Ok(Self { root: root.to_owned() })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is there of `mnemonic`.
    ///
    /// # Errors
    /// [`ErrorKind::Disk`] or [`ErrorKind::Integrity`] if a segment cannot be read.
    pub fn status(&self, mnemonic: &Mnemonic) -> Result<MnemonicStatus> {
        let headers = self.headers(mnemonic)?;
        let mut status = MnemonicStatus {
            mnemonic: mnemonic.clone(),
            segments: headers.len(),
            rows: 0,
            size_bytes: 0,
            known: headers.iter().map(|header| header.proven).collect(),
            provisional: headers.iter().filter(|it| it.provisional).map(|it| it.proven).collect(),
        };
        for header in &headers {
            let path = self.segment_path(mnemonic, header);
            status.rows += self.rows(mnemonic, header)?;
            status.size_bytes +=
                fs::metadata(&path).map_err(|error| Error::disk("read", &path, error))?.len();
        }
        Ok(status)
    }

    fn folder_of(&self, mnemonic: &Mnemonic) -> PathBuf {
        self.root.join(SAMPLES_FOLDER).join(format!("{PARTITION}{mnemonic}"))
    }

    fn segment_path(&self, mnemonic: &Mnemonic, header: &Header) -> PathBuf {
        self.folder_of(mnemonic).join(header.file_name())
    }
}

impl Store for DiskStore {
    fn headers(&self, mnemonic: &Mnemonic) -> Result<Vec<Header>> {
        let names = names_in(&self.folder_of(mnemonic))?;
        Ok(names.iter().filter_map(|name| Header::from_file_name(name)).collect())
    }

    fn segment(&self, mnemonic: &Mnemonic, header: &Header) -> Result<Arc<Segment>> {
        let path = self.segment_path(mnemonic, header);
        let segment = Segment::from_file(&path)?;
        if segment.mnemonic != *mnemonic || segment.header != *header {
            return Err(Error::integrity(format!(
                "the segment `{}` does not say what its name says",
                path.display()
            ))
            .with_hint("move the file out of the store; the next query fetches its range again"));
        }
        Ok(Arc::new(segment))
    }

    fn rows(&self, mnemonic: &Mnemonic, header: &Header) -> Result<usize> {
        Segment::rows_in_file(&self.segment_path(mnemonic, header))
    }

    fn commit(&self, segment: Segment) -> Result<()> {
        let mut file = AtomicFile::create(&self.segment_path(&segment.mnemonic, &segment.header))?;
        segment.write(&mut file)?;
        file.commit()
    }

    fn dictionary(&self) -> Result<Dictionary> {
        let path = self.root.join(DICTIONARY_FILE);
        match fs::read(&path) {
            Ok(text) => dictionary_file::parse(&text),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(Dictionary::default()),
            Err(error) => Err(Error::disk("read", &path, error)),
        }
    }

    fn learn(&self, entries: Dictionary) -> Result<()> {
        // Two processes must not each read, merge and write at once; the lock dies with its process.
        let path = self.root.join(STORE_FILE);
        let lock = File::open(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| Error::disk("lock", &path, error))?;
        let mut known = self.dictionary()?;
        dictionary_file::merge(&mut known, &entries);
        let text = dictionary_file::format(&known)?;
        atomic::write(&self.root.join(DICTIONARY_FILE), text.as_bytes())?;
        drop(lock);
        Ok(())
    }

    fn mnemonics(&self) -> Result<Vec<Mnemonic>> {
        let names = names_in(&self.root.join(SAMPLES_FOLDER))?;
        let names = names.iter().filter_map(|name| name.strip_prefix(PARTITION));
        let mut mnemonics: Vec<_> = names.filter_map(|name| Mnemonic::new(name).ok()).collect();
        mnemonics.sort();
        Ok(mnemonics)
    }
}

/// The names in a folder; none if it does not exist.
fn names_in(folder: &Path) -> Result<Vec<String>> {
    let collect = || -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name().into_string()));
        names.filter_map(|name| name.map(Result::ok).transpose()).collect()
    };
    match collect() {
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(|error| Error::disk("list", folder, error)),
    }
}
