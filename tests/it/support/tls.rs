//! TLS as clients of did:web demand it: an authority of the tests' own, and a way in that speaks TLS before a service that does not.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A service behind TLS, on the loopback; gone when this is dropped.
pub(crate) struct Secured {
    _tasks: JoinSet<()>,
    folder: TempDir,
    connections: Arc<AtomicUsize>,
}

/// A port for a service behind TLS: taken before the service is made, which must know it.
pub(crate) struct Door {
    listener: TcpListener,
    /// The port.
    pub(crate) port: u16,
}

impl Door {
    /// A free port of the loopback.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, port }
    }

    /// Serves `router` behind a certificate for `localhost`.
    pub(crate) async fn serve(self, router: Router) -> Secured {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = TempDir::new().unwrap();
        let mut authority = CertificateParams::new(vec![]).unwrap();
        // A certificate that is named like its issuer is taken for self-signed.
        authority.distinguished_name.push(DnType::CommonName, "hallmark test authority");
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority =
            CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .and_then(|params| params.signed_by(&key, &authority))
            .unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let behind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = behind.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It ends only with the task.
            let _ = axum::serve(behind, router).await;
        });
        tasks.spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = self.listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    // A client that goes away in the middle is its own affair.
                    let Ok(mut inside) = acceptor.accept(stream).await else { return };
                    let Ok(mut service) = TcpStream::connect(address).await else { return };
                    let _ = copy_bidirectional(&mut inside, &mut service).await;
                });
            }
        });
        Secured { _tasks: tasks, folder, connections }
    }
}

impl Secured {
    /// How many connections were made, those included that asked for nothing.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The authority's certificate, in PEM.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}
