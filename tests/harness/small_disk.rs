//! A small disk under a data folder, seen only by the processes that are started on it.
//!
//! It is a file system in memory in a mount namespace of its own (`mount_namespaces(7)`), which a waiting
//! process holds. Only the superuser can make one.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{Workplace, is_superuser};

const MOUNT: &str = "mount -t tmpfs -o mode=700,size=$1 none \"$2\" && echo mounted && exec cat";

/// A small disk. It goes with the value.
pub struct SmallDisk {
    holder: Child,
    filler: PathBuf,
    namespace: String,
}

impl SmallDisk {
    /// Puts a disk of `size` under the data folder of `workplace`, or says that this machine doesn't let it.
    pub fn under(workplace: &Workplace, size: &str) -> Option<Self> {
        if !is_superuser() {
            return None;
        }
        let settings = std::fs::read(workplace.data().join("lectern.toml")).unwrap();
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--", "sh", "-c", MOUNT, "sh", size])
            .arg(workplace.data());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = command.spawn().ok()?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        if said.trim() != "mounted" {
            holder.wait().unwrap();
            return None;
        }
        let process = format!("/proc/{}", holder.id());
        let folder = workplace.data().strip_prefix("/").unwrap().to_owned();
        let root = PathBuf::from(&process).join("root").join(folder);
        std::fs::write(root.join("lectern.toml"), settings).unwrap();
        let namespace = format!("--mount={process}/ns/mnt");
        Some(Self {
            holder,
            filler: root.join("filler"),
            namespace,
        })
    }

    /// What starts a program on the disk.
    pub fn wrapper(&self) -> [&str; 3] {
        ["nsenter", &self.namespace, "--"]
    }

    /// Fills it to its last byte.
    pub fn fill(&self) {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(&self.filler)
            .unwrap();
        let block = [0; 4096];
        loop {
            match filler.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("filling the disk failed: {error}"),
            }
        }
    }

    /// Makes room again.
    pub fn free(&self) {
        std::fs::remove_file(&self.filler).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It ends when it has nothing more to read.
        drop(self.holder.stdin.take());
        drop(self.holder.wait());
    }
}
