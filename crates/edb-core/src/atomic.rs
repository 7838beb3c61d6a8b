//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// A file that is written beside its destination and takes its name only when it is whole and on disk.
///
/// Dropping it without [`commit`](Self::commit) removes what was written; a kill leaves at most a file whose name begins
/// with [`TEMPORARY_PREFIX`].
#[derive(Debug)]
pub struct AtomicFile {
    file: Option<io::BufWriter<File>>,
    temporary: PathBuf,
    destination: PathBuf,
}

/// How the names of files begin that are not yet whole.
pub const TEMPORARY_PREFIX: &str = ".edb-partial-";

#[expect(clippy::disallowed_methods, reason = "this is the one place that creates and renames")]
impl AtomicFile {
    /// Opens a temporary file in the folder of `destination`, which is created (with its parents) if it is missing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`] if the folder cannot be made or written, or `destination` is a folder.
    pub fn create(destination: &Path) -> Result<Self> {
        let folder = folder_of(destination);
        fs::create_dir_all(folder).map_err(|error| Error::disk("create the folder", folder, error))?;
        // Taking the name of a device or a pipe would remove it from the system.
        if let Ok(metadata) = fs::metadata(destination)
            && !metadata.is_file()
        {
            let what = if metadata.is_dir() { "it is a folder" } else { "it is no regular file" };
            let message = format!("could not write `{}`: {what}", destination.display());
            return Err(Error::new(crate::ErrorKind::Disk, message).with_hint("name a file"));
        }
        let name = destination.file_name().unwrap_or_default().to_string_lossy();
        let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!("{TEMPORARY_PREFIX}{}-{unique}-{name}", std::process::id()));
        let file = File::create(&temporary).map_err(|error| {
            Error::disk("write in the folder", folder, error)
                .with_hint("choose another folder, or make it writable")
        })?;
        Ok(Self {
            file: Some(io::BufWriter::with_capacity(1 << 17, file)),
            temporary,
            destination: destination.to_owned(),
        })
    }

    /// Flushes, syncs the file, gives it its name, and syncs the folder.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`]; the destination is then as it was before.
    pub fn commit(mut self) -> Result<()> {
        let writer = self.file.take();
        let result = (|| {
            if let Some(writer) = writer {
                writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            }
            fs::rename(&self.temporary, &self.destination)?;
            File::open(folder_of(&self.destination))?.sync_all()
        })();
        result.map_err(|error| Error::disk("write", &self.destination, error))
    }

    /// An error about this file's destination.
    pub fn error(&self, error: io::Error) -> Error {
        Error::disk("write", &self.destination, error)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        drop(self.file.take());
        // After a commit the name is gone; before it, the half-written file must go. Nothing can be done if that fails.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Writes `bytes` to `destination`, whole or not at all.
///
/// # Errors
/// [`crate::ErrorKind::Disk`].
pub fn write(destination: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(destination)?;
    file.write_all(bytes).map_err(|error| file.error(error))?;
    file.commit()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_dropped_file_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.csv");
        write(&path, b"old").unwrap();

        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(names(path.parent().unwrap()).len(), 2);
        drop(file);

        assert_eq!(names(path.parent().unwrap()), ["b.csv"]);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(path.parent().unwrap()), ["b.csv"]);
    }

    #[test]
    fn a_folder_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(folder.path()).unwrap_err();
        assert!(error.to_string().contains("it is a folder"), "{error}");
    }
}
