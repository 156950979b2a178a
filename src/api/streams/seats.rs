//! How many may listen at a time: in all, so that listeners leave connections for those who ask, and by client, so that one leaves seats
//! for the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;

use crate::api::error::ApiError;
use crate::api::guard::Client;

/// The most listeners at a time.
const LISTENERS_MAX: usize = 1_000;
/// The most of one client, where clients are limited at all.
const LISTENERS_OF_CLIENT_MAX: usize = 32;
/// When to try again, in seconds.
const RETRY_AFTER_S: u64 = 30;

/// The seats of all who listen. Copies are the same.
#[derive(Clone)]
pub(in crate::api) struct Seats(Arc<Inner>);

struct Inner {
    taken: Mutex<Taken>,
    in_all: usize,
    /// `None` where clients are not told apart.
    of_client: Option<usize>,
}

#[derive(Default)]
struct Taken {
    in_all: usize,
    by_client: HashMap<Client, usize>,
}

/// A seat, free again when this is dropped.
pub(super) struct Seat {
    inner: Arc<Inner>,
    client: Client,
}

impl Seats {
    pub(in crate::api) fn new(tells_clients_apart: bool) -> Self {
        Self::of(LISTENERS_MAX, tells_clients_apart.then_some(LISTENERS_OF_CLIENT_MAX))
    }

    fn of(in_all: usize, of_client: Option<usize>) -> Self {
        Self(Arc::new(Inner { taken: Mutex::default(), in_all, of_client }))
    }

    /// A seat for a client.
    ///
    /// # Errors
    /// `too-many-listeners`: 503 where all are taken, 429 where the client has its share.
    pub(super) fn take(&self, client: Client) -> Result<Seat, ApiError> {
        let refused = |status, detail| {
            let kind = ("too-many-listeners", "Too many listeners", status);
            Err(ApiError::Refused { kind, detail, retry_after_s: Some(RETRY_AFTER_S) })
        };
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.in_all >= self.0.in_all {
            let detail = format!(
                "{} streams are listened to, which is the most that this service keeps open",
                taken.in_all
            );
            return refused(StatusCode::SERVICE_UNAVAILABLE, detail);
        }
        let own = taken.by_client.get(&client).copied().unwrap_or_default();
        if self.0.of_client.is_some_and(|most| own >= most) {
            let detail = format!(
                "your address listens to {own} streams, which is the most for one: end one, or listen to `attestation.raw` once"
            );
            return refused(StatusCode::TOO_MANY_REQUESTS, detail);
        }
        taken.in_all += 1;
        taken.by_client.insert(client, own + 1);
        Ok(Seat { inner: Arc::clone(&self.0), client })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.inner.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.in_all = taken.in_all.saturating_sub(1);
        let left = taken.by_client.get(&self.client).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.by_client.remove(&self.client);
        } else {
            taken.by_client.insert(self.client, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn client(last: u8) -> Client {
        Client::of(Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))))
    }

    fn status(taken: Result<Seat, ApiError>) -> StatusCode {
        match taken {
            Err(ApiError::Refused { kind: ("too-many-listeners", _, status), .. }) => status,
            Err(other) => panic!("{other}"),
            Ok(_) => StatusCode::OK,
        }
    }

    #[test]
    fn a_client_leaves_seats_for_others() {
        let seats = Seats::of(3, Some(2));
        let (one, two) = (seats.take(client(1)).ok().unwrap(), seats.take(client(1)).ok().unwrap());
        assert_eq!(status(seats.take(client(1))), StatusCode::TOO_MANY_REQUESTS);
        let other = seats.take(client(2)).ok().unwrap();
        assert_eq!(status(seats.take(client(3))), StatusCode::SERVICE_UNAVAILABLE);
        drop(one);
        let again = seats.take(client(1)).ok().unwrap();
        drop((two, other, again));
        assert_eq!(status(seats.take(client(3))), StatusCode::OK);
        assert!(seats.0.taken.lock().unwrap().by_client.is_empty(), "who left is forgotten");
    }

    #[test]
    fn who_is_not_told_apart_has_no_share() {
        let seats = Seats::of(3, None);
        let held: Vec<_> = (0..3).map(|_| seats.take(client(1)).ok().unwrap()).collect();
        assert_eq!(status(seats.take(client(1))), StatusCode::SERVICE_UNAVAILABLE);
        drop(held);
    }
}
