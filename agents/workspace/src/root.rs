//! Opens paths beneath the workspace's root, whatever hostile code has planted on the way.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// The workspace's root directory.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    /// Kernels older than 5.6, and some sandboxes, lack openat2.
    has_openat2: bool,
}

impl Root {
    pub fn open(path: &Path) -> Result<Root, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(rustix::fs::CWD, path, flags, Mode::empty())?;
        let has_openat2 =
            !matches!(openat2(&fd, ".", flags, Mode::empty(), ResolveFlags::BENEATH), Err(Errno::NOSYS | Errno::PERM));
        Ok(Root { fd, has_openat2 })
    }

    /// Opens `path` (relative; empty means the root). Symbolic links are followed as long as they stay beneath the root.
    /// Where the kernel cannot promise that, no symbolic link is followed at all.
    pub fn open_beneath(&self, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let path = relative(path)?;
        let flags = flags | OFlags::CLOEXEC;
        if !self.has_openat2 {
            return open_by_steps(self.fd.as_fd(), &path, flags, mode);
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        // EAGAIN: something on the way was renamed meanwhile, so the kernel could not decide.
        for _ in 0..16 {
            match openat2(&self.fd, &path, flags, mode, resolve) {
                Err(Errno::AGAIN) => {}
                result => return result,
            }
        }
        Err(Errno::AGAIN)
    }
}

/// Refuses absolute paths; an empty path means the root itself. `..` is left to the kernel, or refused without openat2.
fn relative(path: &Path) -> Result<PathBuf, Errno> {
    if path.is_absolute() {
        return Err(Errno::XDEV);
    }
    Ok(if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() })
}

/// Opens one component after the other, following no symbolic link and going up nowhere.
fn open_by_steps(root: BorrowedFd<'_>, path: &Path, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(Errno::XDEV),
        }
    }
    let Some((last, parents)) = names.split_last() else {
        return openat(root, ".", flags | OFlags::NOFOLLOW, mode);
    };
    let mut directory = root.try_clone_to_owned().map_err(|_| Errno::MFILE)?;
    for name in parents {
        directory = openat(&directory, *name, step, Mode::empty())?;
    }
    openat(&directory, *last, flags | OFlags::NOFOLLOW, mode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn planted(name: &str) -> PathBuf {
        let base = std::env::temp_dir().join(format!("workspace-root-{name}-{}", std::process::id()));
        let root = base.join("root");
        fs::create_dir_all(root.join("inside")).expect("created");
        fs::write(root.join("inside/file"), "ours").expect("written");
        fs::write(base.join("secret"), "theirs").expect("written");
        symlink(base.join("secret"), root.join("absolute")).expect("linked");
        symlink("../secret", root.join("up")).expect("linked");
        symlink(&base, root.join("parent")).expect("linked");
        symlink("/proc/self/root", root.join("magic")).expect("linked");
        base
    }

    #[test]
    fn links_and_dots_lead_nowhere_with_and_without_openat2() {
        let base = planted("escape");
        let mut root = Root::open(&base.join("root")).expect("opened");
        for has_openat2 in [root.has_openat2, false] {
            root.has_openat2 = has_openat2;
            for path in [
                "/etc/passwd",
                "../secret",
                "inside/../../secret",
                "absolute",
                "up",
                "parent/secret",
                "magic/etc/passwd",
            ] {
                let opened = root.open_beneath(Path::new(path), OFlags::RDONLY, Mode::empty());
                assert!(
                    matches!(opened, Err(Errno::XDEV | Errno::LOOP | Errno::NOTDIR)),
                    "{path} with openat2 {has_openat2}: {opened:?}"
                );
            }
            for path in ["inside/file", "./inside/file", "", "."] {
                let opened = root.open_beneath(Path::new(path), OFlags::RDONLY, Mode::empty());
                assert!(opened.is_ok(), "{path} with openat2 {has_openat2}: {opened:?}");
            }
        }
        fs::remove_dir_all(base).expect("removed");
    }
}
