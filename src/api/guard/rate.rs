//! How many requests one client address may make.
//!
//! The address is that of the connection; headers that name another are not believed. Behind a proxy all clients share its address:
//! turn the limit off there, and let the proxy limit. IPv6 addresses count by /64, which is what one household gets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use crate::api::error::ApiError;
use crate::api::state::RateLimit;

/// After how many requests those addresses are forgotten that have been quiet long enough to start afresh.
const FORGET_EVERY: u32 = 1024;
/// The most addresses that are told apart at a time; beyond it newcomers count as one.
const CLIENTS_MAX: usize = 65_536;
/// After how many requests they are counted: counting stops everybody. So many newcomers fit in between.
const COUNT_EVERY: u32 = 64;

/// Who is counted as one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::api) enum Client {
    V4(Ipv4Addr),
    /// The first half of the address.
    V6(u64),
    /// All who came when there were too many to tell apart, and whose address is not known.
    Others,
}

impl Client {
    pub(in crate::api) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6((a << 48) | (b << 32) | (c << 16) | d)
            }
            None => Self::Others,
        }
    }

    /// The address by which it is counted; `None` where it is not told from others.
    pub(in crate::api) fn address(self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => Some(address.into()),
            Self::V6(half) => Some(Ipv6Addr::from(u128::from(half) << 64).into()),
            Self::Others => None,
        }
    }
}

/// Counts requests by client, in bounded memory.
pub(in crate::api) struct RateLimiter {
    clients: DefaultKeyedRateLimiter<Client>,
    clock: DefaultClock,
    checks: AtomicU32,
    is_full: AtomicBool,
}

impl RateLimiter {
    /// A limiter; `None` where the limit is off.
    pub(in crate::api) fn new(limit: RateLimit) -> Option<Self> {
        let burst = NonZeroU32::new(limit.burst.max(1))?;
        let quota = Quota::per_second(NonZeroU32::new(limit.per_s)?).allow_burst(burst);
        let clients = DefaultKeyedRateLimiter::keyed(quota);
        let (clock, checks) = (DefaultClock::default(), AtomicU32::new(0));
        Some(Self { clients, clock, checks, is_full: AtomicBool::new(false) })
    }

    /// Counts one request.
    pub(in crate::api) fn check(&self, address: Option<IpAddr>) -> Result<(), ApiError> {
        let check = self.checks.fetch_add(1, Ordering::Relaxed);
        if check % FORGET_EVERY == FORGET_EVERY - 1 {
            self.clients.retain_recent();
            self.clients.shrink_to_fit();
        }
        if check.is_multiple_of(COUNT_EVERY) {
            let is_full = self.clients.len() + COUNT_EVERY as usize > CLIENTS_MAX;
            self.is_full.store(is_full, Ordering::Relaxed);
        }
        let is_full = self.is_full.load(Ordering::Relaxed);
        let client = if is_full { Client::Others } else { Client::of(address) };
        self.clients.check_key(&client).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            // Rounded up: who waits so long is let in.
            let retry_after_s = wait.as_secs().saturating_add(1);
            ApiError::TooManyRequests { retry_after_s }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_apart_and_households_as_one() {
        let limiter = RateLimiter::new(RateLimit { per_s: 1, burst: 2 }).unwrap();
        let check = |text: &str| limiter.check(Some(text.parse().unwrap())).is_ok();
        assert!(check("10.0.0.1") && check("10.0.0.1") && !check("10.0.0.1"));
        assert!(check("10.0.0.2"), "another address has its own count");
        assert!(!check("::ffff:10.0.0.1"), "an IPv4 address is the same in IPv6 clothes");
        assert!(check("2001:db8::1") && check("2001:db8::2") && !check("2001:db8::ffff:3"));
        assert!(check("2001:db8:0:1::1"), "another /64 has its own count");
        let counted =
            |text: &str| Client::of(Some(text.parse().unwrap())).address().unwrap().to_string();
        assert_eq!(counted("2001:db8:0:1::5"), "2001:db8:0:1::");
        assert_eq!(counted("::ffff:10.0.0.1"), "10.0.0.1");
    }

    #[test]
    fn zero_turns_the_limit_off() {
        assert!(RateLimiter::new(RateLimit { per_s: 0, burst: 5 }).is_none());
    }

    #[test]
    fn the_clients_remembered_are_bounded() {
        let limiter = RateLimiter::new(RateLimit { per_s: 1, burst: 1000 }).unwrap();
        for i in 0..u32::try_from(CLIENTS_MAX).unwrap() + 5000 {
            limiter.check(Some(Ipv4Addr::from(i).into())).ok();
            if i % 4096 == 0 {
                assert!(limiter.clients.len() <= CLIENTS_MAX + 1);
            }
        }
        assert!(limiter.clients.len() <= CLIENTS_MAX + 1);
    }
}
