//! Shares of what there is only so much of: however much one client asks for, it has no more than its share at a time, and waits.
//!
//! A client is an address, as the caller counts addresses. Who is not known has no share to keep to: that is somebody on this machine, or
//! everybody behind a proxy.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type Clients = Arc<Mutex<HashMap<IpAddr, Arc<Semaphore>>>>;

/// What is taken, by client. Copies are the same.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    clients: Clients,
    most: usize,
}

/// One that is taken, or waited for; given back when this is dropped.
#[derive(Debug)]
pub(super) struct Share {
    clients: Clients,
    client: IpAddr,
    own: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Shares {
    /// So many for each client at a time.
    pub(super) fn of(most: usize) -> Self {
        Self { clients: Arc::default(), most }
    }

    /// Takes one for a client, once it has less than it may have.
    pub(super) async fn take(&self, client: Option<IpAddr>) -> Option<Share> {
        let client = client?;
        let own = {
            let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
            let own = clients.entry(client).or_insert_with(|| Arc::new(Semaphore::new(self.most)));
            Arc::clone(own)
        };
        let clients = Arc::clone(&self.clients);
        let mut share = Share { clients, client, own: Arc::clone(&own), permit: None };
        // Closed never: nobody closes it.
        share.permit = own.acquire_owned().await.ok();
        Some(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.permit.take());
        // The map's and this one: nobody else has one or waits for one.
        if Arc::strong_count(&self.own) <= 2 {
            clients.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn each_has_its_own_share() {
        let shares = Shares::of(2);
        let (one, other) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        let (first, second) = (shares.take(one).await, shares.take(one).await);
        let mut third = Box::pin(shares.take(one));
        assert!((&mut third).now_or_never().is_none(), "it has all that it may have");
        let others = (shares.take(other).await, shares.take(other).await);
        for _ in 0..9 {
            assert!(
                shares.take(None).now_or_never().unwrap().is_none(),
                "nobody waits for nothing"
            );
        }
        drop(first);
        let third = third.await;
        // Who gives up waiting leaves nothing behind.
        assert!(shares.take(one).now_or_never().is_none());
        drop((second, third, others));
        assert!(shares.clients.lock().unwrap().is_empty(), "who takes nothing is forgotten");
    }
}
