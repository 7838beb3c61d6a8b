//! Files that appear whole or not at all, and stay when the power fails.
//!
//! The one order: write beside the destination, sync the file, rename it, sync the folder. Only then is anything removed that
//! the new file replaces.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use crate::{Error, Instant, Result};

static COUNTER: AtomicU64 = AtomicU64::new(0);

/// How the names of files begin that are not yet whole. They end otherwise than any file that is.
pub const TEMPORARY_PREFIX: &str = ".edb-partial-";
const TEMPORARY_SUFFIX: &str = ".part";

/// A file that is written beside its destination and takes its name only when it is whole and on disk.
///
/// Dropping it without [`commit`](Self::commit) removes what was written; a kill leaves at most a file whose name begins
/// with [`TEMPORARY_PREFIX`], which [`sweep`] removes.
#[derive(Debug)]
pub struct AtomicFile {
    // Before the temporary file: the destructor of that one removes it.
    file: io::BufWriter<File>,
    temporary: Temporary,
    destination: PathBuf,
}

/// A file that is whole and on disk, and has no name yet.
#[derive(Debug)]
pub struct CompleteFile {
    /// Held open, and so locked, until it has its name.
    _file: File,
    temporary: Temporary,
}

/// Removes the file when dropped. After it took its name that is of no effect; before, the half-written file must go, and nothing can
/// be done if that fails.
#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `destination`, which is created (with its parents) if it is missing. Where the destination
    /// is a link, the file that it leads to is meant.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`] if the folder cannot be made or written, or `destination` is a folder, or a file that is read-only.
    pub fn create(destination: &Path) -> Result<Self> {
        let is_link = fs::symlink_metadata(destination).is_ok_and(|metadata| metadata.is_symlink());
        let target = if is_link { fs::canonicalize(destination).ok() } else { None };
        let destination = target.as_deref().unwrap_or(destination);
        let folder = folder_of(destination);
        create_folders(folder)?;
        let refuse = |what: &str, hint: &str| {
            let message = format!("could not write `{}`: {what}", destination.display());
            Err(Error::new(crate::ErrorKind::Disk, message).with_hint(hint))
        };
        // Taking the name of a device or a pipe would remove it from the system.
        match fs::metadata(destination) {
            Ok(metadata) if metadata.is_dir() => return refuse("it is a folder", "name a file"),
            Ok(metadata) if !metadata.is_file() => return refuse("it is no regular file", "name a file"),
            Ok(metadata) if metadata.permissions().readonly() => {
                return refuse("it is read-only", "make it writable, or name another file");
            }
            _ => {}
        }
        let name = destination.file_name().unwrap_or_default().to_string_lossy();
        let (file, temporary) = open_temporary(folder, &name).map_err(|error| {
            Error::disk("write in the folder", folder, error)
                .with_hint("choose another folder, or make it writable")
        })?;
        let file = io::BufWriter::with_capacity(1 << 17, file);
        Ok(Self { file, temporary, destination: destination.to_owned() })
    }

    /// Flushes, syncs the file, gives it its name, and syncs the folder.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`]; the destination is then as it was before, unless it was the folder that could not be synced:
    /// then the file may be there, whole.
    pub fn commit(self) -> Result<()> {
        let destination = self.destination.clone();
        self.complete()?.take_name(&destination)?;
        sync_folder(folder_of(&destination))
    }

    /// Flushes and syncs the file, for a name that is not known before.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`]; nothing is left of the file then.
    pub fn complete(self) -> Result<CompleteFile> {
        let complete = || -> io::Result<File> {
            let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            Ok(file)
        };
        let file = complete().map_err(|error| Error::disk("write", &self.destination, error))?;
        Ok(CompleteFile { _file: file, temporary: self.temporary })
    }

    /// Dates the file: as when it was last written it shows this time, not the present.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`].
    pub fn date(&mut self, at: Instant) -> Result<()> {
        let since = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
        let dated = self.file.flush().and_then(|()| self.file.get_ref().set_modified(UNIX_EPOCH + since));
        dated.map_err(|error| self.error(error))
    }

    /// An error about this file's destination.
    pub fn error(&self, error: io::Error) -> Error {
        Error::disk("write", &self.destination, error)
    }
}

impl CompleteFile {
    /// Where it is until it has its name.
    pub fn path(&self) -> &Path {
        &self.temporary.0
    }

    /// Gives the file its name, in its folder. It is there for good once the folder is synced ([`sync_folder`]).
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`]; nothing is left of the file then.
    pub fn take_name(self, destination: &Path) -> Result<()> {
        rename(&self.temporary.0, destination)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Creates a temporary file and locks it for as long as it is open: [`sweep`] leaves the files of living writers alone.
#[expect(clippy::disallowed_methods, reason = "this is the one place that creates")]
fn open_temporary(folder: &Path, name: &str) -> io::Result<(File, Temporary)> {
    loop {
        let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let path = folder.join(format!("{TEMPORARY_PREFIX}{process}-{unique}-{name}{TEMPORARY_SUFFIX}"));
        let file = File::create(&path)?;
        let temporary = Temporary(path);
        // Where a disk has no locks, nobody sweeps. Waits for a sweeper who is looking at it, and may have removed it then.
        let _ = file.lock();
        if file.metadata()?.nlink() > 0 {
            return Ok((file, temporary));
        }
    }
}

/// A file in `folder` that has no name, for what is too much for memory: it is gone when it is closed.
///
/// # Errors
/// [`crate::ErrorKind::Disk`].
pub fn scratch(folder: &Path) -> Result<File> {
    let refuse = |error| Error::disk("write in the folder", folder, error);
    let (_, temporary) = open_temporary(folder, "scratch").map_err(refuse)?;
    let file = File::options().read(true).write(true).open(&temporary.0);
    // Its name goes with `temporary`.
    file.map_err(refuse)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that renames")]
fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| Error::disk("write", to, error))
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

/// Creates a folder and its parents, and makes their names last: a file in a folder that is gone is gone, too.
///
/// # Errors
/// [`crate::ErrorKind::Disk`].
pub fn create_folders(folder: &Path) -> Result<()> {
    let refuse = |error| Error::disk("create the folder", folder, error);
    // From the first that is missing on; `.` and `/` never are.
    let missing: Vec<&Path> = folder.ancestors().take_while(|folder| !is_folder(folder)).collect();
    for folder in missing.into_iter().rev() {
        match fs::create_dir(folder) {
            Ok(()) => sync_folder(folder_of(folder))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(refuse(ErrorKind::NotADirectory.into()));
            }
            Err(error) => return Err(refuse(error)),
        }
    }
    Ok(())
}

fn is_folder(path: &Path) -> bool {
    path.as_os_str().is_empty() || path.is_dir()
}

/// Makes the names in a folder last.
///
/// # Errors
/// [`crate::ErrorKind::Disk`].
pub fn sync_folder(folder: &Path) -> Result<()> {
    let sync = || File::open(folder)?.sync_all();
    sync().map_err(|error| Error::disk("sync the folder", folder, error))
}

/// Removes a file. It is gone for good once its folder is synced; until then a power cut may bring it back.
///
/// # Errors
/// [`crate::ErrorKind::Disk`]; that it is gone already is none.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::disk("remove", path, error)),
        _ => Ok(()),
    }
}

/// Moves a file to another folder of the same disk, which is made if it is missing.
///
/// # Errors
/// [`crate::ErrorKind::Disk`].
pub fn move_file(from: &Path, to: &Path) -> Result<()> {
    create_folders(folder_of(to))?;
    rename(from, to)?;
    sync_folder(folder_of(to))?;
    sync_folder(folder_of(from))
}

/// Gives a file a second name in another folder of the same disk, which is made if it is missing; that it has it already is fine.
///
/// # Errors
/// [`crate::ErrorKind::Disk`].
pub fn link_file(from: &Path, to: &Path) -> Result<()> {
    create_folders(folder_of(to))?;
    match fs::hard_link(from, to) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::disk("link", to, error)),
        _ => sync_folder(folder_of(to)),
    }
}

/// Whether a file is one that was never finished, or is being written.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY_PREFIX)
}

/// Whether the writer of the temporary file at `path` is dead.
pub fn is_left(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Removes the temporary file at `path` unless somebody is writing it, and says whether it did.
pub fn sweep(path: &Path) -> bool {
    // The lock is held until the file is gone.
    File::open(path).is_ok_and(|file| file.try_lock().is_ok() && fs::remove_file(path).is_ok())
}

/// Files of a folder that get their names together: written below a hidden folder in it, and moved when all are whole.
///
/// Dropping it without [`commit`](Self::commit) removes what was written; what a killed writer left is removed by the next one.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    hidden: PathBuf,
    /// The hidden folder, locked as long as the writer lives.
    _lock: File,
}

impl Staging {
    /// Begins in `folder`, which is created (with its parents) if it is missing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`] if the folder cannot be made or written, or is a file.
    pub fn create(folder: &Path) -> Result<Self> {
        let refuse = |error| Error::disk("write in the folder", folder, error);
        create_folders(folder)?;
        for entry in fs::read_dir(folder).map_err(refuse)?.flatten() {
            if is_temporary(&entry.file_name().to_string_lossy()) && entry.path().is_dir() {
                sweep_folder(&entry.path());
            }
        }
        let (hidden, lock) = hidden_folder(folder).map_err(refuse)?;
        Ok(Self { folder: folder.to_owned(), hidden, _lock: lock })
    }

    /// Where a file is written whose place in the folder will be `path`.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.hidden.join(path)
    }

    /// Gives all files their names. In the folders of these, files of which the name `is_replaced` are replaced by them; others stay. Returns
    /// the folders in which there were any.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Disk`] if one of the replaced files has an extension that no new one of its folder has, before anything is
    /// done; otherwise some files may have their names, all of them whole.
    pub fn commit(self, paths: &[PathBuf], is_replaced: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let mut folders = std::collections::BTreeMap::<&Path, HashSet<PathBuf>>::new();
        for path in paths {
            folders.entry(folder_of(path)).or_default().extend(path.file_name().map(PathBuf::from));
        }
        let mut replaced = Vec::new();
        for (folder, names) in &folders {
            let old = self.files_in(folder, &is_replaced)?;
            let is_other = |old: &&PathBuf| names.iter().all(|name| name.extension() != old.extension());
            if let Some(other) = old.iter().find(is_other) {
                let other = self.folder.join(folder).join(other);
                let message = format!("could not replace `{}`: it has another format", other.display());
                return Err(Error::new(crate::ErrorKind::Disk, message)
                    .with_hint("choose another folder, or remove what is there"));
            }
            if !old.is_empty() {
                replaced.push(((*folder).to_owned(), old));
            }
        }
        for (folder, names) in &folders {
            let place = self.folder.join(folder);
            create_folders(&place)?;
            for name in names {
                rename(&self.hidden.join(folder).join(name), &place.join(name))?;
            }
            let old = replaced.iter().find(|(replaced, _)| replaced == folder).map(|(_, old)| old);
            let superfluous = old.into_iter().flatten().filter(|old| !names.contains(*old));
            superfluous.map(|old| place.join(old)).try_for_each(|old| remove(&old))?;
            sync_folder(&place)?;
        }
        Ok(replaced.into_iter().map(|(folder, _)| folder).collect())
    }

    /// The files of a folder whose names are such.
    fn files_in(&self, folder: &Path, is_such: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
        let place = self.folder.join(folder);
        if !place.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&place).map_err(|error| Error::disk("read", &place, error))?;
        let names = entries.flatten().map(|entry| PathBuf::from(entry.file_name()));
        Ok(names.filter(|name| is_such(&name.to_string_lossy())).collect())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.hidden);
    }
}

/// Creates a hidden folder and locks it for as long as it is open: [`sweep_folder`] leaves those of living writers alone.
fn hidden_folder(folder: &Path) -> io::Result<(PathBuf, File)> {
    loop {
        let unique = COUNTER.fetch_add(1, Ordering::Relaxed);
        let hidden = folder.join(format!("{TEMPORARY_PREFIX}{}-{unique}", std::process::id()));
        match fs::create_dir(&hidden) {
            // Left by a process of the same number.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            created => created?,
        }
        // A sweeper may have been quicker.
        let Ok(lock) = File::open(&hidden) else { continue };
        let _ = lock.lock();
        if lock.metadata()?.nlink() > 0 {
            return Ok((hidden, lock));
        }
    }
}

/// Removes a hidden folder unless somebody writes in it. What cannot be removed is in nobody's way.
fn sweep_folder(hidden: &Path) {
    // The lock is held until the folder is gone.
    if let Ok(lock) = File::open(hidden)
        && lock.try_lock().is_ok()
    {
        let _ = fs::remove_dir_all(hidden);
    }
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

    #[test]
    fn a_link_stays_one_and_what_is_read_only_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.csv"), folder.path().join("link.csv"));
        write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mut permissions = fs::metadata(&real).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&real, permissions).unwrap();
        let error = write(&link, b"newer").unwrap_err();
        assert!(error.to_string().contains("it is read-only"), "{error}");
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn what_a_dead_writer_left_is_swept_and_what_a_living_one_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(format!("{TEMPORARY_PREFIX}1-0-b.csv.part"));
        write(&left, b"half").unwrap();
        let mut file = AtomicFile::create(&folder.path().join("a.csv")).unwrap();
        file.write_all(b"a").unwrap();
        let swept: Vec<bool> = names(folder.path())
            .iter()
            .filter(|name| is_temporary(name))
            .map(|name| sweep(&folder.path().join(name)))
            .collect();
        assert_eq!(swept.iter().filter(|swept| **swept).count(), 1);
        assert!(!left.exists());
        file.commit().unwrap();
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn staged_files_get_their_names_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(format!("{TEMPORARY_PREFIX}1-0"));
        write(&left.join("a/half"), b"").unwrap();
        for name in ["a/part-0", "a/part-7", "a/other", "c/part-0"] {
            write(&folder.path().join(name), b"old").unwrap();
        }
        let stage = |staging: &Staging| {
            let paths = [PathBuf::from("a/part-0"), PathBuf::from("b/part-0")];
            paths.iter().for_each(|path| write(&staging.path(path), b"new").unwrap());
            paths
        };
        let staging = Staging::create(folder.path()).unwrap();
        assert!(!left.exists(), "what a dead writer left is gone");
        stage(&staging);
        let other = Staging::create(folder.path()).unwrap();
        assert_eq!(names(folder.path()).len(), 4, "a living writer's is not");
        drop(staging);
        assert_eq!(names(folder.path()).len(), 3);
        let paths = stage(&other);
        let replaced = other.commit(&paths, |name| name.starts_with("part-")).unwrap();
        assert_eq!(replaced, [PathBuf::from("a")]);
        assert_eq!(names(folder.path()), ["a", "b", "c"]);
        assert_eq!(names(&folder.path().join("a")), ["other", "part-0"], "what it replaces is gone");
        assert_eq!(fs::read(folder.path().join("a/part-0")).unwrap(), b"new");
        assert_eq!(
            names(&folder.path().join("c")),
            ["part-0"],
            "folders that it does not write are as they were"
        );

        write(&folder.path().join("b/part-1.csv"), b"of another kind").unwrap();
        let third = Staging::create(folder.path()).unwrap();
        let paths = stage(&third);
        let error = third.commit(&paths, |name| name.starts_with("part-")).unwrap_err();
        assert!(error.to_string().contains("b/part-1.csv"), "{error}");
        assert_eq!(names(&folder.path().join("b")), ["part-0", "part-1.csv"]);
    }

    #[test]
    fn a_scratch_file_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = scratch(folder.path()).unwrap();
        assert!(names(folder.path()).is_empty());
        file.write_all(b"kept").unwrap();
        io::Seek::rewind(&mut file).unwrap();
        assert_eq!(io::read_to_string(&file).unwrap(), "kept");
    }

    #[test]
    fn a_file_can_be_named_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let complete = || {
            let mut file = AtomicFile::create(&folder.path().join("anything")).unwrap();
            file.write_all(b"whole").unwrap();
            file.complete().unwrap()
        };
        drop(complete());
        assert!(names(folder.path()).is_empty());
        complete().take_name(&folder.path().join("name")).unwrap();
        assert_eq!(names(folder.path()), ["name"]);
    }
}
