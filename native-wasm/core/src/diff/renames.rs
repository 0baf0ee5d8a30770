use super::entry::{Entry, Mode, Pair};
use super::similarity::{Fingerprint, Similarity};
use super::tree::Pairs;
use crate::hash::{Seed, hash};
use crate::sort;
use crate::{Budget, Limit};
use core::cmp::Reverse;

/// What counts as a rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renames {
    /// How much of the content must be the same, in percent: 100 is for equal contents only.
    pub similarity: u8,
    /// The square root of the number of pairs of files that are compared at most, as `diff.renameLimit` of git.
    pub limit: u32,
}

impl Default for Renames {
    fn default() -> Self {
        Self { similarity: 50, limit: 1000 }
    }
}

/// What is left to match on both sides, sorted by path.
struct Search<'a> {
    deleted: Vec<Option<Entry<'a>>>,
    added: Vec<Option<Entry<'a>>>,
    found: Vec<Pair<'a>>,
}

/// Matches deleted and added entries, which come sorted by path, and takes out those that match: equal contents first, then alike ones with the
/// same base name, then the most similar ones.
pub(super) fn find_renames<'a>(
    deleted: &mut Vec<Entry<'a>>,
    added: &mut Vec<Entry<'a>>,
    renames: Renames,
    seed: Seed,
    budget: &mut Budget,
) -> Result<Pairs<'a>, Limit> {
    let mut search = Search {
        deleted: deleted.drain(..).map(Some).collect(),
        added: added.drain(..).map(Some).collect(),
        found: Vec::new(),
    };
    search.match_equal(seed);
    let mut degraded = false;
    if renames.similarity < 100 {
        match search.match_similar(renames, seed, budget) {
            Ok(complete) => degraded = !complete,
            Err(Limit::Budget { .. }) => degraded = true,
            Err(limit) => return Err(limit),
        }
    }
    deleted.extend(search.deleted.into_iter().flatten());
    added.extend(search.added.into_iter().flatten());
    Ok(Pairs { pairs: search.found, degraded })
}

impl<'a> Search<'a> {
    /// Makes a rename of two entries unless one is taken already.
    fn join(&mut self, old: usize, new: usize, similarity: Similarity) {
        if let (Some(before), Some(after)) = (self.deleted[old], self.added[new]) {
            self.found.push(Pair::Renamed { before, after, similarity: similarity.percent() });
            (self.deleted[old], self.added[new]) = (None, None);
        }
    }

    /// Matches equal contents: in files of the same base name first, then in the order of the paths.
    fn match_equal(&mut self, seed: Seed) {
        let mut old = keyed(&self.deleted, |entry| content_key(entry, seed));
        let mut new = keyed(&self.added, |entry| content_key(entry, seed));
        let named = |side: &[Option<Entry>], keys: &[(ContentKey, usize)]| {
            let name = |at: usize| side[at].map_or(0, |entry| hash(entry.base_name(), seed));
            let mut named: Vec<_> = keys.iter().map(|(key, at)| ((*key, name(*at)), *at)).collect();
            sort::unstable(&mut named);
            named
        };
        self.match_keys(&named(&self.deleted, &old), &named(&self.added, &new));
        old.retain(|(_, at)| self.deleted[*at].is_some());
        new.retain(|(_, at)| self.added[*at].is_some());
        self.match_keys(&old, &new);
    }

    /// Matches entries in order that have the same key and equal contents.
    fn match_keys<K: Ord>(&mut self, old: &[(K, usize)], new: &[(K, usize)]) {
        let (mut i, mut j) = (0, 0);
        while let (Some((a, from)), Some((b, to))) = (old.get(i), new.get(j)) {
            let order = a.cmp(b);
            if order.is_eq()
                && let (Some(before), Some(after)) = (self.deleted[*from], self.added[*to])
                && before.has_content_of(&after)
            {
                self.join(*from, *to, Similarity(Similarity::ALL));
            }
            i += usize::from(order.is_le());
            j += usize::from(order.is_ge());
        }
    }

    /// Matches files whose contents are alike. Says whether all could be compared.
    fn match_similar(&mut self, renames: Renames, seed: Seed, budget: &mut Budget) -> Result<bool, Limit> {
        let old = files(&self.deleted, seed)?;
        let new = files(&self.added, seed)?;
        let least = Similarity::of_percent(renames.similarity);
        // A base name that is unique on both sides is a hint that makes up for some difference, but not for all.
        let least_of_named = Similarity(u32::midpoint(least.0, Similarity::ALL));
        for (from, to) in self.unique_names(&old, &new) {
            let similarity = from.content.similarity(&to.content, least_of_named, budget)?;
            if similarity.0 > 0 {
                self.join(from.at, to.at, similarity);
            }
        }
        let is_free = |side: &[Option<Entry>], file: &&File| side[file.at].is_some();
        let old: Vec<&File> = old.iter().filter(|file| is_free(&self.deleted, file)).collect();
        let new: Vec<&File> = new.iter().filter(|file| is_free(&self.added, file)).collect();
        if old.len() as u64 * new.len() as u64 > u64::from(renames.limit).pow(2) {
            return Ok(false);
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut in_time = true;
        'all: for to in &new {
            for from in &old {
                let Ok(similarity) = from.content.similarity(&to.content, least, budget) else {
                    in_time = false;
                    break 'all;
                };
                if similarity.0 > 0 {
                    candidates.try_reserve(1).map_err(|_| Limit::Memory { bytes: size_of::<Candidate>() as u64 })?;
                    candidates.push((Reverse(similarity), from.name != to.name, to.at as u32, from.at as u32));
                }
            }
        }
        sort::unstable(&mut candidates);
        for (Reverse(similarity), _, to, from) in candidates {
            self.join(from as usize, to as usize, similarity);
        }
        Ok(in_time)
    }

    /// Files with a base name that only one of the old and only one of the new have.
    fn unique_names<'f>(&self, old: &'f [File], new: &'f [File]) -> Vec<(&'f File, &'f File)> {
        let unique = |side: &'f [File]| {
            let mut files: Vec<&File> = side.iter().collect();
            sort::unstable_by_key(&mut files, |file| file.name);
            let runs = files.chunk_by(|a, b| a.name == b.name);
            runs.filter(|run| run.len() == 1).map(|run| run[0]).collect::<Vec<&'f File>>()
        };
        let (old, new) = (unique(old), unique(new));
        let find = |from: &&'f File| new.binary_search_by_key(&from.name, |to| to.name).ok().map(|at| (*from, new[at]));
        old.iter().filter_map(find).filter(|(from, to)| self.same_base_name(from.at, to.at)).collect()
    }

    /// Equal hashes of names are not enough.
    fn same_base_name(&self, old: usize, new: usize) -> bool {
        let name = |entry: &Option<Entry<'a>>| entry.as_ref().map(|entry| entry.base_name().to_vec());
        name(&self.deleted[old]) == name(&self.added[new])
    }
}

/// Two files that are alike, ordered by how much; then those with one base name come first, then the earlier paths.
type Candidate = (Reverse<Similarity>, bool, u32, u32);

/// A file that is not matched yet.
struct File {
    /// Its index among the entries of its side.
    at: usize,
    /// The hash of its base name.
    name: u64,
    content: Fingerprint,
}

fn files(side: &[Option<Entry>], seed: Seed) -> Result<Vec<File>, Limit> {
    let mut files = Limit::reserve(side.len())?;
    for (at, entry) in side.iter().enumerate() {
        if let Some(entry) = entry
            && entry.mode.is_file()
        {
            files.push(File { at, name: hash(entry.base_name(), seed), content: Fingerprint::of(entry.bytes, seed)? });
        }
    }
    Ok(files)
}

/// What equal contents have in common: the kind, since files and what is no file never match, the size and the hash.
type ContentKey = (u8, usize, u64);

fn content_key(entry: &Entry, seed: Seed) -> ContentKey {
    let kind = if entry.mode.is_file() { 0 } else { entry.mode as u8 };
    let bytes = if entry.mode == Mode::Gitlink { entry.id.unwrap_or_default() } else { entry.bytes };
    (kind, bytes.len(), hash(bytes, seed))
}

/// The entries that are left with their keys, by key and then in order.
fn keyed<'a, K: Ord>(side: &[Option<Entry<'a>>], key: impl Fn(&Entry<'a>) -> K) -> Vec<(K, usize)> {
    let left = side.iter().enumerate().filter_map(|(at, entry)| Some((key(entry.as_ref()?), at)));
    let mut keyed: Vec<(K, usize)> = left.collect();
    sort::unstable(&mut keyed);
    keyed
}
