//! What runs below the server, read from /proc: every descendant, also those that left their process group or session.

use std::collections::{HashMap, HashSet};
use std::fs;

use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};

#[derive(Clone, Copy, Debug)]
struct Process {
    parent: i32,
    resident_pages: u64,
}

/// Processes and resident memory of all descendants together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub processes: u64,
    pub resident_bytes: u64,
}

/// Parses `/proc/<pid>/stat`. The program's name may contain anything, hence the last parenthesis counts. Zombies are left out.
fn parse_stat(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X") {
        return None;
    }
    Some(Process { parent: fields.get(1)?.parse().ok()?, resident_pages: fields.get(21)?.parse().ok()? })
}

/// The numbers of all processes that this one can see.
fn numbers() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn all() -> HashMap<i32, Process> {
    let read = |pid| Some((pid, parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?));
    numbers().filter_map(read).collect()
}

fn below(root: i32, all: &HashMap<i32, Process>) -> HashSet<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for (pid, process) in all {
        children.entry(process.parent).or_default().push(*pid);
    }
    let mut found = HashSet::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for child in children.get(&pid).into_iter().flatten() {
            if found.insert(*child) {
                open.push(*child);
            }
        }
    }
    found
}

/// What all descendants of this process use together. Beyond `enough` processes nothing but their number is looked at, since
/// a fork bomb leaves little time.
pub fn usage(enough: u64) -> Usage {
    if getpid() == Pid::INIT {
        let processes = numbers().count() as u64;
        if processes > enough {
            return Usage { processes, resident_bytes: 0 };
        }
    }
    let all = all();
    let mut usage = Usage::default();
    for process in below(getpid().as_raw_pid(), &all).iter().filter_map(|pid| all.get(pid)) {
        usage.processes += 1;
        usage.resident_bytes += process.resident_pages * rustix::param::page_size() as u64;
    }
    usage
}

/// Whether `pid` lives and is no descendant of this process. Orphans are descendants: the server adopts them.
pub fn is_unrelated(pid: i32) -> bool {
    let all = all();
    all.contains_key(&pid) && !below(getpid().as_raw_pid(), &all).contains(&pid)
}

/// Kills every descendant. As process 1 of a container this is one atomic call; elsewhere (in development) all are stopped
/// first, since processes that fork faster than they are found would otherwise survive.
pub fn kill_all_descendants() {
    if getpid() == Pid::INIT {
        // kill(-1): everything in the container but this process.
        let _ = kill_process_group(Pid::INIT, Signal::KILL);
        return;
    }
    let signal = |pids: &HashSet<i32>, signal: Signal| {
        for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
            let _ = kill_process(pid, signal);
        }
    };
    let me = getpid().as_raw_pid();
    let mut stopped = HashSet::new();
    for _ in 0..50 {
        let found = below(me, &all());
        let fresh: HashSet<i32> = found.difference(&stopped).copied().collect();
        if fresh.is_empty() {
            break;
        }
        signal(&fresh, Signal::STOP);
        stopped = found;
    }
    signal(&below(me, &all()), Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_program_name_does_not_confuse_the_parser() {
        let tail = "S 7 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 1000 42 0";
        let process = parse_stat(&format!("12 (a) S 1 (b)) {tail}")).expect("parsed");
        assert_eq!((process.parent, process.resident_pages), (7, 42));
        assert!(parse_stat("12 (z) Z 7").is_none());
        assert!(parse_stat("").is_none());
    }

    #[test]
    fn descendants_of_descendants_are_found() {
        let process = |parent| Process { parent, resident_pages: 0 };
        let all = HashMap::from([(2, process(1)), (3, process(2)), (4, process(3)), (9, process(8))]);
        assert_eq!(below(2, &all), HashSet::from([3, 4]));
    }
}
