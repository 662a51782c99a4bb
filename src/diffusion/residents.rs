//! What is kept in memory: by how lately it was used, within a number and a size.

use std::time::{Duration, Instant};

/// Values by key, the one used last at the end.
#[derive(Debug)]
pub(super) struct Residents<K, T> {
    all: Vec<Resident<K, T>>,
    most: usize,
    budget_bytes: u64,
}

#[derive(Debug)]
struct Resident<K, T> {
    key: K,
    value: T,
    bytes: u64,
    used: Instant,
}

impl<K: PartialEq, T> Residents<K, T> {
    /// At most `most`, and together at most `budget_bytes`; but one is always kept, however large.
    pub(super) fn new(most: usize, budget_bytes: u64) -> Self {
        Self { all: Vec::new(), most: most.max(1), budget_bytes }
    }

    /// The value of `key`. One that is not there is loaded; those unused for longest make room for it before that, so that none
    /// is in memory for nothing while both are. `needs` says beforehand how many bytes it will take.
    pub(super) fn get_or_load<E>(
        &mut self,
        key: K,
        now: Instant,
        needs: impl FnOnce(&K) -> Result<u64, E>,
        load: impl FnOnce(&K) -> Result<T, E>,
    ) -> Result<&mut T, E> {
        let mut resident = match self.all.iter().position(|resident| resident.key == key) {
            Some(place) => self.all.remove(place),
            None => {
                let bytes = needs(&key)?;
                self.make_room(bytes);
                let value = load(&key)?;
                Resident { key, value, bytes, used: now }
            }
        };
        resident.used = now;
        let last = self.all.len();
        self.all.push(resident);
        Ok(&mut self.all[last].value)
    }

    /// Drops the value of `key` if it is as `unwanted` says.
    pub(super) fn drop_if<E>(
        &mut self,
        key: &K,
        unwanted: impl FnOnce(&T) -> Result<bool, E>,
    ) -> Result<(), E> {
        if let Some(place) = self.all.iter().position(|resident| resident.key == *key)
            && unwanted(&self.all[place].value)?
        {
            self.all.remove(place);
        }
        Ok(())
    }

    /// Drops what was not used for `idle`; answers how many.
    pub(super) fn drop_idle(&mut self, now: Instant, idle: Duration) -> usize {
        let before = self.all.len();
        self.all.retain(|resident| now.saturating_duration_since(resident.used) < idle);
        before - self.all.len()
    }

    /// When the next one will have been idle for `idle`.
    pub(super) fn next_idle(&self, idle: Duration) -> Option<Instant> {
        self.all.iter().filter_map(|resident| resident.used.checked_add(idle)).min()
    }

    fn make_room(&mut self, bytes: u64) {
        let fits = |rest: &[Resident<K, T>]| {
            let held = rest.iter().fold(bytes, |sum, resident| sum.saturating_add(resident.bytes));
            rest.is_empty() || (rest.len() < self.most && held <= self.budget_bytes)
        };
        let surplus = (0..=self.all.len()).find(|&from| fits(&self.all[from..])).unwrap_or(self.all.len());
        self.all.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(residents: &mut Residents<char, u32>, key: char, bytes: u64, at: Instant) -> bool {
        let mut loaded = false;
        let load = |_: &char| {
            loaded = true;
            Ok::<_, ()>(key.into())
        };
        let value = *residents.get_or_load(key, at, |_| Ok(bytes), load).unwrap();
        assert_eq!(value, u32::from(key));
        loaded
    }

    fn keys(residents: &Residents<char, u32>) -> String {
        residents.all.iter().map(|resident| resident.key).collect()
    }

    #[test]
    fn the_one_unused_for_longest_goes_first() {
        let now = Instant::now();
        let mut residents = Residents::new(2, u64::MAX);
        assert!(get(&mut residents, 'a', 1, now));
        assert!(get(&mut residents, 'b', 1, now));
        assert!(!get(&mut residents, 'a', 1, now));
        assert!(get(&mut residents, 'c', 1, now));
        assert_eq!(keys(&residents), "ac");
    }

    #[test]
    fn as_many_go_as_there_must_and_one_always_stays() {
        let now = Instant::now();
        let mut residents = Residents::new(9, 10);
        for (key, bytes, kept) in
            [('a', 4, "a"), ('b', 4, "ab"), ('c', 2, "abc"), ('d', 5, "cd"), ('e', 99, "e"), ('f', 1, "f")]
        {
            assert!(get(&mut residents, key, bytes, now));
            assert_eq!(keys(&residents), kept);
        }
    }

    #[test]
    fn what_cannot_be_loaded_is_not_kept() {
        let mut residents: Residents<char, u32> = Residents::new(2, 10);
        assert_eq!(residents.get_or_load('a', Instant::now(), |_| Err("none"), |_| Ok(1)), Err("none"));
        assert_eq!(residents.get_or_load('a', Instant::now(), |_| Ok(1), |_| Err("broken")), Err("broken"));
        assert_eq!(keys(&residents), "");
    }

    #[test]
    fn what_is_unwanted_is_dropped() {
        let mut residents = Residents::new(2, u64::MAX);
        get(&mut residents, 'a', 1, Instant::now());
        residents.drop_if(&'b', |_| Ok::<_, ()>(true)).unwrap();
        residents.drop_if(&'a', |_| Ok::<_, ()>(false)).unwrap();
        assert_eq!(residents.drop_if(&'a', |_| Err("cannot say")), Err("cannot say"));
        assert_eq!(keys(&residents), "a");
        residents.drop_if(&'a', |&value| Ok::<_, ()>(value == u32::from('a'))).unwrap();
        assert_eq!(keys(&residents), "");
    }

    #[test]
    fn what_is_idle_is_dropped() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let idle = Duration::from_secs(10);
        let mut residents = Residents::new(3, u64::MAX);
        assert_eq!(residents.next_idle(idle), None);
        get(&mut residents, 'a', 1, at(0));
        get(&mut residents, 'b', 1, at(5));
        get(&mut residents, 'a', 1, at(7));
        assert_eq!(residents.next_idle(idle), Some(at(15)));
        assert_eq!(residents.drop_idle(at(14), idle), 0);
        assert_eq!(residents.drop_idle(at(15), idle), 1);
        assert_eq!(keys(&residents), "a");
        assert_eq!(residents.drop_idle(at(17), idle), 1);
    }
}
