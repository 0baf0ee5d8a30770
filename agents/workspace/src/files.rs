//! Read, write, list and stat, confined to the root and bounded in size.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::fs::{fchmod, fstat, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use crate::error::{Code, Failure, failure, from_errno, from_io};
use crate::frame::MAX_PAYLOAD_BYTES;
use crate::protocol::{Entry, Kind, ReadArgs, WriteArgs};
use crate::root::Root;

/// Entries of one listing.
const MAX_ENTRIES: usize = 4096;

/// Reads a part of a regular file: the bytes, and the file's size.
pub fn read(root: &Root, args: &ReadArgs) -> Result<(Vec<u8>, u64), Failure> {
    let file = open_regular(root, &args.path, OFlags::RDONLY)?;
    let size = file.metadata().map_err(|error| from_io(&error, &args.path))?.len();
    let wanted = args.length.unwrap_or(MAX_PAYLOAD_BYTES as u64).min(MAX_PAYLOAD_BYTES as u64) as usize;
    let mut bytes = vec![0; wanted];
    let mut filled = 0;
    while filled < wanted {
        match file.read_at(&mut bytes[filled..], args.offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(from_io(&error, &args.path)),
        }
    }
    bytes.truncate(filled);
    Ok((bytes, size))
}

/// Replaces a file as a whole (a reader sees the old content or the new), or adds to its end.
pub fn write(root: &Root, args: &WriteArgs, content: &[u8]) -> Result<(), Failure> {
    let path = Path::new(&args.path);
    let Some(name) = path.file_name() else {
        return Err(failure(Code::InvalidRequest, format!("{}: not the path of a file", args.path)));
    };
    let parent_path = path.parent().unwrap_or(Path::new(""));
    if args.parents {
        make_directories(root, parent_path).map_err(|errno| from_errno(errno, &args.path))?;
    }
    if args.append {
        let mut file = open_regular(root, &args.path, OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE)?;
        return file.write_all(content).map_err(|error| from_io(&error, &args.path));
    }
    let parent = root
        .open_beneath(parent_path, directory_flags(), Mode::empty())
        .map_err(|errno| from_errno(errno, &args.path))?;
    let mode = args.mode.map_or_else(|| present_mode(&parent, name), |mode| Mode::from_raw_mode(mode & 0o777));
    replace(&parent, name, mode, content).map_err(|error| from_io(&error, &args.path))
}

/// Lists a directory, sorted by name; the flag says that there is more.
pub fn list(root: &Root, path: &str) -> Result<(Vec<Entry>, bool), Failure> {
    let fail = |errno| from_errno(errno, path);
    let directory =
        root.open_beneath(Path::new(path), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).map_err(fail)?;
    let mut entries = Vec::new();
    let mut bytes = 0;
    let mut truncated = false;
    for found in Dir::read_from(&directory).map_err(fail)? {
        let found = found.map_err(fail)?;
        let name = found.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        // The JSON form of a hostile name can be six times as long, plus the other fields.
        bytes += name.to_bytes().len() * 6 + 128;
        if entries.len() == MAX_ENTRIES || bytes > MAX_PAYLOAD_BYTES {
            truncated = true;
            break;
        }
        // It may be gone by now, which is no failure of the listing.
        if let Ok(stat) = statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            entries.push(entry(name.to_string_lossy().into_owned(), &stat));
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((entries, truncated))
}

/// What a path is; a symbolic link at its end is not followed.
pub fn stat(root: &Root, path: &str) -> Result<Entry, Failure> {
    let fail = |errno| from_errno(errno, path);
    let fd = root.open_beneath(Path::new(path), OFlags::PATH | OFlags::NOFOLLOW, Mode::empty()).map_err(fail)?;
    let name = Path::new(path).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Ok(entry(name, &fstat(&fd).map_err(fail)?))
}

fn directory_flags() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY
}

/// Opens a regular file. Non-blocking, or a planted FIFO would hold the server.
fn open_regular(root: &Root, path: &str, flags: OFlags) -> Result<File, Failure> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o644) } else { Mode::empty() };
    let fd = root.open_beneath(Path::new(path), flags, mode).map_err(|errno| from_errno(errno, path))?;
    let stat = fstat(&fd).map_err(|errno| from_errno(errno, path))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(failure(Code::WrongKind, format!("{path}: not a regular file")));
    }
    Ok(File::from(fd))
}

/// Permission bits of the file to be replaced, 0644 when there is none.
fn present_mode(parent: &OwnedFd, name: &OsStr) -> Mode {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => {
            Mode::from_raw_mode(stat.st_mode & 0o777)
        }
        _ => Mode::from_raw_mode(0o644),
    }
}

fn replace(parent: &OwnedFd, name: &OsStr, mode: Mode, content: &[u8]) -> std::io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let partial = format!(".millwright-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(parent, partial.as_str(), flags, mode)?);
    let done = file
        .write_all(content)
        .and_then(|()| Ok(fchmod(&file, mode)?))
        .and_then(|()| Ok(renameat(parent, partial.as_str(), parent, name)?));
    if done.is_err() {
        let _ = unlinkat(parent, partial.as_str(), AtFlags::empty());
    }
    done
}

fn make_directories(root: &Root, path: &Path) -> Result<(), Errno> {
    let mut made = PathBuf::new();
    for component in path.components() {
        let parent = root.open_beneath(&made, directory_flags(), Mode::empty())?;
        made.push(component);
        match root.open_beneath(&made, directory_flags(), Mode::empty()) {
            Err(Errno::NOENT) => match mkdirat(&parent, component.as_os_str(), Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno),
            },
            Err(errno) => return Err(errno),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn entry(name: String, stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Other,
    };
    let modified_ms = stat.st_mtime * 1000 + stat.st_mtime_nsec as i64 / 1_000_000;
    Entry { name, kind, bytes: u64::try_from(stat.st_size).unwrap_or(0), mode: stat.st_mode & 0o7777, modified_ms }
}
