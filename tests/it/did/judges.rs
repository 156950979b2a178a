//! Other people's resolvers read our documents over TLS, and agree with us on what is made from an identifier alone.

use hallmark::did::web::WebHost;
use serde_json::json;

use crate::api::told::{self, ALICE};
use crate::support::databases::Fresh;
use crate::support::node;
use crate::support::service::{Service, state};
use crate::support::tale::time;
use crate::support::tls::Door;

#[tokio::test(flavor = "multi_thread")]
async fn other_resolvers_read_our_documents() {
    let fresh = Fresh::sqlite().await;
    let database = fresh.database().await;
    told::tell(&database).await;
    let door = Door::open().await;
    let mut settings = state(&database, time(20));
    settings.documents.host = WebHost::parse(&format!("localhost:{}", door.port)).unwrap();
    let host = settings.documents.host.clone();
    let service = Service::new(settings.clone());
    let secured = door.serve(hallmark::api::router(settings)).await;

    let web = ["did-resolver", "did-method-web"];
    let own = [
        format!("did:web:{host}"),
        format!("did:web:{host}:agents:8453:0"),
        format!("did:web:{host}:agents:8453:1"),
    ];
    let unknown = format!("did:web:{host}:agents:8453:77");
    let accounts = [
        format!("did:pkh:eip155:8453:{ALICE}"),
        format!("did:pkh:eip155:1:{}", ALICE.to_string().to_lowercase()),
    ];
    let key = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";
    let mut asked = json!({ key: ["did-method-key"] });
    for did in own.iter().chain([&unknown]) {
        asked[did] = json!(web);
    }
    for did in &accounts {
        asked[did] = json!(["did-resolver"]);
    }

    let authority = secured.authority();
    let question = asked.clone();
    let judged = move || node::judge("did", &question, Some(&authority));
    let answers = tokio::task::spawn_blocking(judged).await.unwrap();
    for did in own.iter().chain(&accounts).map(String::as_str).chain([key]) {
        let ours =
            service.get(&format!("/1.0/identifiers/{did}")).await.json()["didDocument"].clone();
        assert_eq!(ours["id"], did);
        for (theirs, judge) in
            answers[did].as_array().unwrap().iter().zip(asked[did].as_array().unwrap())
        {
            assert_eq!(theirs, &ours, "{judge} of {did}");
        }
    }
    assert_eq!(answers[&own[1]].as_array().unwrap().len(), 2);
    for theirs in answers[&unknown].as_array().unwrap() {
        assert!(theirs["refused"].is_string(), "{theirs}");
    }
    database.close().await;
}
