//! How many connections one client address may hold.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

/// What one address may hold where nothing else was set.
const DEFAULT_PER_ADDRESS: usize = 1_000;

/// Counts connections by address over all workers. Locked once a connection, never a request, and
/// not at all for loopback clients without a limit.
#[derive(Debug, Default)]
pub struct Gate {
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that was let in; dropping it makes room.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    key: Option<IpAddr>,
}

impl Gate {
    /// Lets a connection from `address` in, unless that address holds `most` of them: 1,000 where none
    /// is given, and no limit then for loopback addresses.
    #[must_use]
    pub fn admit(self: &Arc<Self>, address: IpAddr, most: Option<usize>) -> Option<Pass> {
        let limit = match most {
            Some(limit) => limit,
            None if address.to_canonical().is_loopback() => {
                return Some(Pass {
                    gate: self.clone(),
                    key: None,
                });
            }
            None => DEFAULT_PER_ADDRESS,
        };
        let key = client_key(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Pass {
            gate: self.clone(),
            key: Some(key),
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let Some(key) = self.key else { return };
        let mut counts = self
            .gate
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&key);
            }
            // An attack with many addresses must not leave its table behind.
            if counts.len() < counts.capacity() / 8 {
                counts.shrink_to_fit();
            }
        }
    }
}

/// What counts as one client: an IPv4 address, or the /64 that an IPv6 client can choose its
/// address from.
#[must_use]
pub fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_more_than_its_share() {
        let gate = Arc::new(Gate::default());
        let a: IpAddr = "2001:db8::1".parse().unwrap();
        let same_network: IpAddr = "2001:db8::2".parse().unwrap();
        let first = gate.admit(a, Some(2));
        let _second = gate.admit(same_network, Some(2)).unwrap();
        assert!(gate.admit(a, Some(2)).is_none());
        assert!(
            gate.admit("2001:db8:0:1::1".parse().unwrap(), Some(2))
                .is_some()
        );
        drop(first);
        assert!(gate.admit(a, Some(2)).is_some());
    }

    #[test]
    fn loopback_has_no_limit_unless_one_is_set() {
        let gate = Arc::new(Gate::default());
        let passes: Vec<_> = (0..2 * DEFAULT_PER_ADDRESS)
            .map(|_| gate.admit([127, 0, 0, 1].into(), None))
            .collect();
        assert!(passes.iter().all(Option::is_some));
        assert!(gate.counts.lock().unwrap().is_empty());
    }
}
