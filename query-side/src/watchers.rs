//! Places for those who follow a show. Anybody may, without a token, so nobody may take them all: whoever has as many as
//! are still free gets no more. One greedy address takes half of all places, two a third each, and there is always room
//! for somebody else; who shares an address with many (a proxy, a provider's gateway) shares its half.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use web::{Code, Problem};

/// How long to wait for a place, in seconds.
const RETRY_AFTER_S: u64 = 5;

/// The places.
pub(crate) struct Watchers(Mutex<Places>);

struct Places {
    free: usize,
    /// By address; never more of them than places.
    held: HashMap<IpAddr, usize>,
}

/// A place; dropping it gives it back.
pub(crate) struct Place {
    of: Arc<Watchers>,
    whose: Option<IpAddr>,
}

impl Watchers {
    pub fn new(count: usize) -> Arc<Self> {
        let (free, held) = (count, HashMap::new());
        Arc::new(Self(Mutex::new(Places { free, held })))
    }

    /// Never held while anything is waited for.
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for somebody at this address, if it is known.
    ///
    /// # Errors
    /// `OCUPADO` when there is none, `DEMASIADAS_SOLICITUDES` when the address has as many as there are left.
    pub fn take(self: &Arc<Self>, whose: Option<IpAddr>) -> Result<Place, Problem> {
        let mut places = self.places();
        if places.free == 0 {
            return Err(Problem::new(Code::Busy)
                .detail("Demasiadas personas siguen eventos a la vez.")
                .retry_after(RETRY_AFTER_S));
        }
        let held = whose
            .and_then(|whose| places.held.get(&whose).copied())
            .unwrap_or(0);
        if held >= places.free {
            return Err(Problem::new(Code::TooManyRequests)
                .detail("Desde esta dirección ya se siguen demasiados eventos a la vez.")
                .retry_after(RETRY_AFTER_S));
        }
        places.free -= 1;
        if let Some(whose) = whose {
            *places.held.entry(whose).or_default() += 1;
        }
        Ok(Place {
            of: self.clone(),
            whose,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.of.places();
        places.free += 1;
        if let Some(whose) = self.whose
            && let Entry::Occupied(mut held) = places.held.entry(whose)
        {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn take_all(watchers: &Arc<Watchers>, whose: Option<IpAddr>) -> (Vec<Place>, Code) {
        let mut places = Vec::new();
        loop {
            match watchers.take(whose) {
                Ok(place) => places.push(place),
                Err(problem) => return (places, problem.code()),
            }
        }
    }

    #[test]
    fn one_caller_cannot_take_the_places_of_all() {
        let watchers = Watchers::new(12);
        let (first, refused) = take_all(&watchers, address(1));
        assert_eq!((first.len(), refused), (6, Code::TooManyRequests));
        let (second, _) = take_all(&watchers, address(2));
        assert_eq!(second.len(), 3);
        assert!(watchers.take(address(3)).is_ok(), "somebody else comes in");
        // What is given back can be taken by anybody, also by who had none left.
        drop(first);
        assert_eq!(take_all(&watchers, address(2)).0.len(), 3);
    }

    #[test]
    fn all_places_can_be_taken_and_are_all_given_back() {
        let watchers = Watchers::new(4);
        let places: Vec<Place> = (1..=4).map(|n| watchers.take(address(n)).unwrap()).collect();
        assert_eq!(watchers.take(address(5)).err().unwrap().code(), Code::Busy);
        assert_eq!(watchers.take(None).err().unwrap().code(), Code::Busy);
        drop(places);
        assert!(watchers.places().held.is_empty(), "nobody is remembered");
        assert_eq!(
            take_all(&watchers, None).0.len(),
            4,
            "an address that is not known has no limit"
        );
    }
}
