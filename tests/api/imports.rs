//! A coordinator brings in what people wrote into forms and lists, at midnight, as often as it takes; and
//! takes out what others need to see.

use std::time::Duration;

use actix_web::http::Method;
use manyhands::domain::ids::{CoordinatorId, ImportId};
use manyhands::domain::import::{ImportKind, ImportState, Tally};
use manyhands::storage::coordinators::Scope;
use manyhands::storage::imports::{self, Import};
use manyhands::storage::sql_types::Json;
use manyhands::storage::{StorageError, TxError};
use serde_json::{Value, json};

use crate::support::people::{food, north, offer_of, post_of, with};
use crate::support::{Answer, DAY, HOUR, TestApp};

const GOOGLE: &[u8] = include_bytes!("../imports/google_forms.csv");
const GROCERIES: &str = include_str!("../../config/mappings/groceries.toml");
const EXCEL: &[u8] = include_bytes!("../imports/excel_semicolons.csv");
const EXCEL_MAPPING: &str = include_str!("../imports/excel_semicolons.toml");
const UTF16: &[u8] = include_bytes!("../imports/excel_utf16.csv");
const WINDOWS: &[u8] = include_bytes!("../imports/windows_1252.csv");
const KOBO: &[u8] = include_bytes!("../imports/kobo.csv");
const KOBO_MAPPING: &str = include_str!("../imports/kobo.toml");
const AIRTABLE: &[u8] = include_bytes!("../imports/airtable_merged.csv");
const AIRTABLE_MAPPING: &str = include_str!("../imports/airtable_merged.toml");

/// A file with its mapping, as it is sent.
fn with_mapping(mapping: &str, file: &[u8]) -> Vec<u8> {
    [b"+++\n", mapping.as_bytes(), b"\n+++\n", file].concat()
}

pub async fn send(app: &TestApp, token: &str, query: &str, body: &[u8]) -> Answer {
    let csv = [("Content-Type", "text/csv")];
    let path = format!("/v1/imports?{query}");
    app.raw(Method::POST, &path, Some(token), Some(body.to_vec()), &csv)
        .await
}

/// Waits until an import is over; gives it with all its rows.
async fn over(app: &TestApp, token: &str, begun: Answer) -> (Value, Vec<Value>) {
    assert_eq!(begun.status, 202, "{}", begun.body);
    let path = format!("/v1/imports/{}", begun.body["id"].as_str().unwrap());
    let import = loop {
        let import = app.get(&path, token).await.ok();
        if import["state"] != "running" {
            break import;
        }
        tokio::task::yield_now().await;
    };
    let (mut rows, mut after) = (Vec::new(), json!(0));
    loop {
        let page = app
            .get(&format!("{path}/rows?after={after}"), token)
            .await
            .ok();
        rows.extend(page["items"].as_array().unwrap().clone());
        if page["next"].is_null() {
            return (import, rows);
        }
        after = page["next"].clone();
    }
}

pub async fn import(app: &TestApp, token: &str, query: &str, body: &[u8]) -> (Value, Vec<Value>) {
    let begun = send(app, token, query, body).await;
    let (import, rows) = over(app, token, begun).await;
    assert_eq!(import["state"], "done", "{import}");
    (import["tally"].clone(), rows)
}

/// `2 new`, `3 faulty: Phone`, one for each row.
fn told(rows: &[Value]) -> Vec<String> {
    let one = |row: &Value| {
        let faults = row["faults"].as_array().cloned().unwrap_or_default();
        let columns: Vec<_> = faults
            .iter()
            .map(|f| f["column"].as_str().unwrap())
            .collect();
        let outcome = format!("{} {}", row["line"], row["outcome"].as_str().unwrap());
        match (columns.is_empty(), row["same_as_line"].as_u64()) {
            (false, _) => format!("{outcome}: {}", columns.join(", ")),
            (true, Some(line)) => format!("{outcome} of {line}"),
            (true, None) => outcome,
        }
    };
    rows.iter().map(one).collect()
}

async fn posts(app: &TestApp, token: &str, what: &str) -> Vec<Value> {
    let page = app.get(&format!("/v1/{what}?limit=200"), token).await.ok();
    page["items"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_form_is_tried_put_right_and_imported_once_however_often_it_is_sent() {
    let mut app = TestApp::new();
    let (cora, token) = app.coordinator(Scope::Coordinator).await;
    let body = with_mapping(GROCERIES, GOOGLE);
    let outcomes = [
        "2 new",
        "4 new",
        "5 new",
        "6 faulty: Email Address",
        "7 duplicate of 2",
        "8 new",
        "10 faulty: Phone number",
        "11 faulty: ZIP code",
    ];
    let (tally, rows) = import(&app, &token, "kind=requests&dry_run=true", &body).await;
    assert_eq!(told(&rows), outcomes);
    assert_eq!((&tally["new"], &tally["faulty"]), (&json!(4), &json!(3)));
    assert!(
        posts(&app, &token, "requests").await.is_empty(),
        "it was tried only"
    );

    let (tally, rows) = import(&app, &token, "kind=requests&verified=called", &body).await;
    assert_eq!(told(&rows), outcomes);
    assert_eq!(tally["rows"], 8);
    let requests = posts(&app, &token, "requests").await;
    assert_eq!(requests.len(), 4);
    let of = |i: usize| &requests[i]["neighbor"];
    // Newest first: Mo has two of them, by her address in any case.
    assert_eq!(of(0)["id"], of(3)["id"]);
    assert_eq!(of(0)["verified"], "called");
    assert_eq!(of(0)["entered_by"], cora.to_string());
    assert_eq!(
        (&requests[3]["urgency"], &requests[3]["quantity"]),
        (&json!("soon"), &json!(4))
    );
    // The whole of the 24th, by the clocks of the mapping's time zone.
    assert_eq!(requests[3]["needed"]["until"], "2026-12-25T06:00:00Z");

    let path = format!(
        "/v1/requests/{}/reveal",
        requests[3]["id"].as_str().unwrap()
    );
    let mo = app
        .post(&path, &token, &json!({"reason": "call"}))
        .await
        .ok();
    let private = mo["private_note"].as_str().unwrap();
    assert!(private.contains("upstairs”, and\nthe bell"), "{private}");
    assert!(
        private.ends_with("Allergies or diet: Halal, no pork"),
        "{private}"
    );
    let path = format!(
        "/v1/requests/{}/reveal",
        requests[2]["id"].as_str().unwrap()
    );
    let lin = app
        .post(&path, &token, &json!({"reason": "call"}))
        .await
        .ok();
    assert_eq!(lin["contact"]["phone"], "+16125554357");

    let before = app.database.rows().len();
    let (tally, rows) = import(&app, &token, "kind=requests&verified=called", &body).await;
    let unchanged = ["2 unchanged", "4 unchanged", "5 unchanged", "8 unchanged"];
    let again: Vec<String> = told(&rows)
        .into_iter()
        .filter(|r| r.ends_with("unchanged"))
        .collect();
    assert_eq!(again, unchanged);
    assert_eq!((&tally["new"], &tally["unchanged"]), (&json!(0), &json!(4)));
    assert_eq!(posts(&app, &token, "requests").await.len(), 4);
    // Nothing but the import itself, its report and its entry in the audit.
    assert!(app.database.rows().len() <= before + 3);

    // One letter each to those with an address, and the faulty row repaired is taken.
    app.settle().await;
    let letters = app.subjects_to("mo@example.org");
    let received = letters
        .iter()
        .filter(|subject| subject.contains("received"));
    assert_eq!(received.count(), 1, "{letters:?}");
    let repaired = String::from_utf8(GOOGLE.to_vec())
        .unwrap()
        .replace("call me", "612 555 0105");
    let body = with_mapping(GROCERIES, repaired.as_bytes());
    let (tally, _) = import(&app, &token, "kind=requests", &body).await;
    assert_eq!((&tally["new"], &tally["faulty"]), (&json!(1), &json!(2)));
}

#[actix_web::test]
async fn exports_of_all_kinds_of_tools_are_read() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let excel = with_mapping(EXCEL_MAPPING, EXCEL);
    let (_, rows) = import(&app, &token, "kind=offers", &excel).await;
    // 13.12.2026 tells that 03.04.2027 is in April.
    assert_eq!(told(&rows), ["2 new", "3 new", "4 faulty: E-Mail"]);
    let offers = posts(&app, &token, "offers").await;
    assert_eq!(offers[0]["available"]["from"], "2027-04-03T05:00:00Z");
    let (_, rows) = import(&app, &token, "kind=offers", UTF16).await;
    assert_eq!(told(&rows), ["2 new"]);
    let (_, rows) = import(&app, &token, "kind=requests", WINDOWS).await;
    assert_eq!(told(&rows), ["2 new"]);
    let kobo = with_mapping(KOBO_MAPPING, KOBO);
    let (_, rows) = import(&app, &token, "kind=requests", &kobo).await;
    assert_eq!(
        told(&rows),
        ["2 new", "3 faulty: _location", "4 faulty: person/phone"]
    );
    let airtable = with_mapping(AIRTABLE_MAPPING, AIRTABLE);
    let (_, rows) = import(&app, &token, "kind=requests", &airtable).await;
    assert_eq!(
        told(&rows),
        ["2 new", "3 faulty: Address", "4 faulty: the row", "5 new"]
    );
    let requests = posts(&app, &token, "requests").await;
    let ayaan = requests.iter().find(|r| r["quantity"] == 5).unwrap();
    assert_eq!(ayaan["requires"], json!({"diet": ["halal", "vegan"]}));

    // By its own id a row is known also when it says something else.
    let later = String::from_utf8(KOBO.to_vec())
        .unwrap()
        .replace("Ayaan\";\"612-555-0120", "Ayaan\";\"612-555-0129");
    let (_, rows) = import(
        &app,
        &token,
        "kind=requests",
        &with_mapping(KOBO_MAPPING, later.as_bytes()),
    )
    .await;
    assert_eq!(told(&rows)[0], "2 differs");
    // And another sheet may begin to count anew.
    let other =
        "_uuid,Name,Phone,ZIP,Category,Quantity\n7d8b6c3e-0001,Ola,612 555 0140,55407,food,1\n";
    let (_, rows) = import(&app, &token, "kind=requests", other.as_bytes()).await;
    assert_eq!(told(&rows), ["2 new"]);
}

#[actix_web::test]
async fn cells_that_are_too_long_are_a_fault_or_cut_as_the_mapping_says() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let long = "so much to say ".repeat(334);
    let file =
        format!("Name,Phone,ZIP,Category,Quantity,Notes\nMo,612 555 0101,55407,food,1,{long}\n");
    let (_, rows) = import(&app, &token, "kind=requests", file.as_bytes()).await;
    assert_eq!(told(&rows), ["2 faulty: Notes"]);
    let reason = rows[0]["faults"][0]["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("is longer than 2000 characters"),
        "{reason}"
    );
    let columns = "too_long = \"cut\"\n[columns]\nname = \"Name\"\nphone = \"Phone\"\npostal_code = \"ZIP\"\ncategory = \"Category\"\nquantity = \"Quantity\"\nprivate_note = \"Notes\"";
    let (_, rows) = import(
        &app,
        &token,
        "kind=requests",
        &with_mapping(columns, file.as_bytes()),
    )
    .await;
    assert_eq!(told(&rows), ["2 new"]);
    assert_eq!(
        rows[0]["warnings"][0]["reason"],
        "was cut to 2000 characters"
    );
}

#[actix_web::test]
async fn imported_volunteers_have_time_to_confirm_unless_they_have_agreed_before() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (_, admin) = app.coordinator(Scope::Admin).await;
    import(&app, &token, "kind=offers", UTF16).await;
    app.settle().await;
    assert_eq!(
        app.subjects_to("zoe@example.org"),
        ["Please confirm your e-mail address"]
    );
    assert_eq!(
        posts(&app, &token, "offers").await[0]["state"],
        "unconfirmed"
    );
    app.sleep_over(3 * DAY).await;
    let offers = posts(&app, &token, "offers").await;
    assert_eq!(
        offers.len(),
        1,
        "a post by herself would be gone after a day"
    );
    let link = app.letter_to("zoe@example.org", "mho_");
    app.post("/v1/confirm", &link, &json!({})).await.ok();
    assert_eq!(posts(&app, &token, "offers").await[0]["state"], "open");

    let ana = "Name,Email,ZIP,Category,Capacity\nAna,ana@example.org,55407,food,5\n";
    let refused = send(&app, &token, "kind=offers&confirmed=true", ana.as_bytes()).await;
    assert_eq!(refused.problem(403), "scope");
    import(&app, &admin, "kind=offers&confirmed=true", ana.as_bytes()).await;
    app.settle().await;
    assert_eq!(posts(&app, &token, "offers").await[0]["state"], "open");
    assert_eq!(
        app.subjects_to("ana@example.org"),
        ["Your offer to help is with us"]
    );
    let manage = app.letter_to("ana@example.org", "mhv_");
    let gone = app
        .call(Method::DELETE, "/v1/volunteers/self", Some(&manage), None)
        .await;
    assert_eq!(gone.status, 204, "she can leave by that letter");
    // And whoever left does not come back with the same list.
    let (tally, _) = import(&app, &admin, "kind=offers&confirmed=true", ana.as_bytes()).await;
    assert_eq!((&tally["new"], &tally["unchanged"]), (&json!(0), &json!(1)));

    // Who never confirms is erased in the end.
    let ivo = "Name,Email,ZIP,Category,Capacity\nIvo,ivo@example.org,55407,food,5\n";
    import(&app, &token, "kind=offers", ivo.as_bytes()).await;
    for _ in 0..3 {
        app.sleep_over(5 * DAY).await;
    }
    let offers = posts(&app, &token, "offers").await;
    assert!(
        offers.iter().all(|o| o["state"] != "unconfirmed"),
        "{offers:?}"
    );
}

#[actix_web::test]
async fn whoever_posted_under_an_address_on_the_web_does_not_see_what_its_owner_asks_for() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let contact = json!({"contact": {"name": "X", "email": "mo@example.org"}});
    let stranger = app.neighbor_who(with(post_of(&[food(1)]), contact)).await;
    let (_, rows) = import(
        &app,
        &token,
        "kind=requests",
        &with_mapping(GROCERIES, GOOGLE),
    )
    .await;
    assert_eq!(told(&rows)[0], "2 new");
    let seen = app.get("/v1/neighbors/self", &stranger.token).await.ok();
    assert_eq!(seen["requests"].as_array().unwrap().len(), 1);
    // The volunteer who is known by her confirmed address gets it into her record.
    let mut app = app;
    let meals = json!({"category": "food", "capacity": 9});
    let zoe = app
        .volunteer("zoe@example.org", std::slice::from_ref(&meals))
        .await;
    import(&app, &token, "kind=offers", UTF16).await;
    let hers = app.get("/v1/volunteers/self", &zoe.token).await.ok();
    let states: Vec<_> = hers["offers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["state"].clone())
        .collect();
    assert_eq!(states, ["open", "open"]);
    app.settle().await;
    let waiting = offer_of("zoe@example.org", &[meals]);
    app.call(Method::POST, "/v1/offers", None, Some(&waiting))
        .await
        .ok();
}

#[actix_web::test]
async fn what_cannot_be_read_is_told_at_once_and_nothing_of_it_is_repeated() {
    let app = TestApp::with(&[("server.import_limit_bytes", "4096")]);
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (_, intake) = app.coordinator(Scope::Intake).await;
    assert_eq!(
        send(&app, &intake, "kind=requests", GOOGLE)
            .await
            .problem(403),
        "scope"
    );
    assert_eq!(
        send(&app, &token, "dry_run=true", GOOGLE).await.pointers(),
        ["kind"]
    );
    assert_eq!(
        send(&app, &token, "kind=requests", b"PK\x03\x04")
            .await
            .problem(400),
        "sheet"
    );
    let headless = send(
        &app,
        &token,
        "kind=requests",
        b"Secretia,s@example.org,612\n",
    )
    .await;
    assert_eq!(headless.problem(400), "sheet");
    assert!(!headless.body.to_string().contains("Secretia"));
    let wrong = with_mapping("[columns]\nnmae = \"Your name\"", GOOGLE);
    assert_eq!(
        send(&app, &token, "kind=requests", &wrong).await.pointers(),
        ["mapping"]
    );
    let large = vec![b'a'; 5000];
    assert_eq!(
        send(&app, &token, "kind=requests", &large)
            .await
            .problem(413),
        "too-large"
    );
    let body = json!({});
    assert_eq!(
        app.post("/v1/imports?kind=requests", &token, &body)
            .await
            .problem(415),
        "media-type"
    );

    // Reports name lines and columns.
    let file = "Name,Email,Phone,ZIP,Category,Quantity,Note\nSecretia,secretia at example,call Secretia,Secretville,Secretry,secret,612 555 0199 Secret Ave\n";
    let (_, rows) = import(&app, &token, "kind=requests", file.as_bytes()).await;
    assert_eq!(
        told(&rows),
        ["2 faulty: Phone, Quantity, Email, ZIP, Category, Note"]
    );
    assert!(
        !json!(rows).to_string().to_lowercase().contains("secret"),
        "{rows:?}"
    );
    for row in app.database.rows() {
        assert!(!row.contains("ecretia"), "{row}");
    }
}

async fn running(app: &TestApp, by: CoordinatorId) -> ImportId {
    let id = ImportId::new(app.ctx.entropy.as_ref());
    let now = app.now();
    let row = Import {
        id,
        kind: ImportKind::Requests,
        state: ImportState::Running,
        dry_run: false,
        tally: Json(Tally::default()),
        created_by: Some(by),
        created_at: now,
        updated_at: now,
        undone: None,
        undone_at: None,
    };
    let write = app
        .ctx
        .db
        .write(move |conn| -> Result<(), TxError<()>> { Ok(imports::insert(conn, &row)?) });
    write.await.unwrap();
    id
}

#[actix_web::test]
async fn an_import_whose_process_ended_is_broken_off_and_the_file_is_sent_again() {
    let mut app = TestApp::new();
    let (by, token) = app.coordinator(Scope::Coordinator).await;
    let id = running(&app, by).await;
    let path = format!("/v1/imports/{id}");
    assert_eq!(app.get(&path, &token).await.ok()["state"], "running");
    let busy = send(&app, &token, "kind=requests", WINDOWS).await;
    assert_eq!(busy.problem(503), "import-under-way");
    app.advance(Duration::from_secs(61)).await;
    assert_eq!(app.get(&path, &token).await.ok()["state"], "broken_off");
    let key = [("Content-Type", "text/csv"), ("Idempotency-Key", "tonight")];
    let post = async || {
        let body = Some(WINDOWS.to_vec());
        app.raw(
            Method::POST,
            "/v1/imports?kind=requests",
            Some(&token),
            body,
            &key,
        )
        .await
    };
    let first = post().await;
    let id = first.body["id"].clone();
    over(&app, &token, first).await;
    let again = post().await;
    assert_eq!((again.status, &again.body["id"]), (202, &id));
    assert_eq!(posts(&app, &token, "requests").await.len(), 1);
    assert_eq!(posts(&app, &token, "imports").await.len(), 2);
    // What they report of rows is gone after a day; that they were is remembered as long as the rows.
    app.sleep_over(DAY + HOUR).await;
    assert_eq!(posts(&app, &token, "imports").await.len(), 2);
    let left = app.ctx.db.read(move |conn| {
        Ok::<_, StorageError>(imports::part_after(
            conn,
            id.as_str().unwrap().parse::<uuid::Uuid>().unwrap().into(),
            0,
        )?)
    });
    assert_eq!(left.await.unwrap(), None);
}

async fn file(
    app: &TestApp,
    method: Method,
    path: &str,
    token: &str,
    body: Option<Value>,
) -> Answer {
    app.call(method, path, Some(token), body.as_ref()).await
}

#[actix_web::test]
async fn exports_hold_no_person_unless_an_administrator_says_why() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let sly = json!({"contact": {"name": "=cmd|' /C calc'!A0", "phone": "612 555 0101", "email": "mo@example.org"},
        "location": {"lat": 44.95123, "lon": -93.26321, "address": "2410 Example Ave"}});
    let need = with(
        food(4),
        json!({"requires": {"diet": ["halal"]}, "private_note": "Ring, \"twice\"\nplease"}),
    );
    app.neighbor_who(with(post_of(&[need]), sly)).await;
    let clear = file(&app, Method::GET, "/v1/exports/requests", &token, None).await;
    assert_eq!(
        clear.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let text = String::from_utf8(clear.bytes).unwrap();
    assert!(
        text.starts_with("id,state,category,quantity,") && text.lines().count() == 2,
        "{text}"
    );
    for secret in ["cmd", "5550101", "mo@example", "44.95", "2410", "Ring"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let why = json!({"reason": "move"});
    let path = "/v1/exports/requests";
    assert_eq!(
        file(&app, Method::POST, path, &token, Some(why.clone()))
            .await
            .problem(403),
        "scope"
    );
    assert_eq!(
        file(&app, Method::POST, path, &admin, None)
            .await
            .pointers(),
        ["/reason"]
    );
    let whole = file(&app, Method::POST, path, &admin, Some(why.clone())).await;
    let text = String::from_utf8(whole.bytes.clone()).unwrap();
    assert!(
        text.contains("'=cmd|' /C calc'!A0") && text.contains("'+16125550101"),
        "{text}"
    );
    assert!(text.contains("-93.26321"), "a number is no formula: {text}");
    let audit = app
        .get("/v1/audit?action=persons_exported", &admin)
        .await
        .ok();
    let detail = &audit["items"][0]["detail"];
    assert_eq!(
        detail,
        &json!({"kind": "requests", "posts": 1, "reason": "move"})
    );
    for _ in 0..4 {
        file(&app, Method::POST, path, &admin, Some(why.clone())).await;
    }
    let sixth = file(&app, Method::POST, path, &admin, Some(why)).await;
    assert_eq!(sixth.problem(429), "too-many-exports");

    // What was taken out is taken in elsewhere, the same.
    let other = TestApp::new();
    let (_, there) = other.coordinator(Scope::Coordinator).await;
    let (_, rows) = import(&other, &there, "kind=requests", &whole.bytes).await;
    assert_eq!(told(&rows), ["2 new"]);
    let request = &posts(&other, &there, "requests").await[0];
    let here = &posts(&app, &token, "requests").await[0];
    for field in [
        "category", "quantity", "urgency", "needed", "requires", "cell", "handover", "travel_m",
    ] {
        assert_eq!(request[field], here[field], "{field}");
    }
    let reveal = json!({"reason": "call"});
    let secret = async |app: &TestApp, token: &str, request: &Value| {
        let path = format!("/v1/requests/{}/reveal", request["id"].as_str().unwrap());
        app.post(&path, token, &reveal).await.ok()
    };
    let (one, two) = (
        secret(&app, &token, here).await,
        secret(&other, &there, request).await,
    );
    assert_eq!(one["contact"]["name"], two["contact"]["name"]);
    assert_eq!(
        (&one["contact"]["phone"], &one["private_note"]),
        (&two["contact"]["phone"], &two["private_note"])
    );
    assert_eq!(one["location"], two["location"]);
    // Here it is there already.
    let (_, rows) = import(&app, &token, "kind=requests", &whole.bytes).await;
    assert_eq!(told(&rows), ["2 duplicate"]);
}

#[actix_web::test]
async fn sites_are_exported_for_maps_and_for_directories_of_help() {
    let mut app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let site = json!({"title": "Corner Books", "address": "1 Example Ave", "walk_in": true});
    let hours = json!({"opening_hours": "Mo-Fr 08:00-18:00; Sa 10:00-14:00"});
    let offer =
        json!({"category": "warming_space", "capacity": 20, "site": site, "available": hours});
    let volunteer = app.volunteer("ana@example.org", &[offer]).await;
    let path = format!("/v1/offers/{}/list", volunteer.offers[0]);
    app.post(&path, &token, &json!({})).await.ok();
    let get = async |format: &str| {
        let path = format!("/v1/exports/sites?format={format}");
        app.get(&path, &token).await
    };
    let map = get("geojson").await;
    assert_eq!(map.header("content-type"), Some("application/geo+json"));
    assert_eq!(
        map.body["features"][0]["properties"]["title"],
        "Corner Books"
    );
    let service = get("hsds").await.ok()[0].clone();
    // What HSDS 3.0 requires of each part.
    for part in [
        "/id",
        "/name",
        "/status",
        "/organization/id",
        "/organization/name",
        "/organization/description",
        "/service_at_locations/0/id",
        "/service_at_locations/0/location/id",
        "/service_at_locations/0/location/location_type",
        "/service_at_locations/0/location/addresses/0/address_1",
        "/service_at_locations/0/location/addresses/0/country",
        "/service_at_locations/0/location/addresses/0/address_type",
        "/service_at_locations/0/schedules/0/id",
    ] {
        assert!(
            service.pointer(part).is_some_and(Value::is_string),
            "{part}: {service}"
        );
    }
    let schedules = &service["service_at_locations"][0]["schedules"];
    assert_eq!(
        (&schedules[0]["byday"], &schedules[1]["byday"]),
        (&json!("MO,TU,WE,TH,FR"), &json!("SA"))
    );
    assert_eq!(
        (&schedules[1]["opens_at"], &schedules[1]["freq"]),
        (&json!("10:00"), &json!("WEEKLY"))
    );
    let csv = String::from_utf8(get("csv").await.bytes).unwrap();
    assert!(csv.contains("Corner Books,1 Example Ave,"), "{csv}");
    let wrong = app.get("/v1/exports/requests?format=hsds", &token).await;
    assert_eq!(wrong.pointers(), ["format"]);
    assert_eq!(
        app.get("/v1/exports/letters", &token).await.problem(404),
        "not-found"
    );
}

#[actix_web::test]
async fn a_trial_under_a_key_is_not_taken_for_the_import_itself() {
    let app = TestApp::new();
    let (_, token) = app.coordinator(Scope::Coordinator).await;
    let file = b"Name,Phone,ZIP,Category,Quantity\nMo,612 555 0123,55407,food,4\n";
    let headers = [("Content-Type", "text/csv"), ("Idempotency-Key", "file-1")];
    let send = |query: &'static str| {
        let path = format!("/v1/imports?kind=requests{query}");
        let (app, token) = (&app, &token);
        async move {
            let body = Some(file.to_vec());
            app.raw(Method::POST, &path, Some(token), body, &headers)
                .await
        }
    };
    let tried = send("&dry_run=true").await;
    over(&app, &token, tried).await;
    assert_eq!(send("").await.problem(422), "key-reused");
    let again = send("&dry_run=true").await;
    let (import, _) = over(&app, &token, again).await;
    assert_eq!(import["dry_run"], true);
    assert!(posts(&app, &token, "requests").await.is_empty());
}

#[actix_web::test]
async fn an_export_is_of_a_category_an_area_and_a_state_and_the_audit_names_them() {
    let app = TestApp::new();
    let (_, admin) = app.coordinator(Scope::Admin).await;
    let near = app.neighbor(&[food(4)]).await;
    let ride = json!({"category": "transport", "quantity": 1});
    app.neighbor(&[ride]).await;
    let far = with(post_of(&[food(2)]), json!({"location": north(9.0)}));
    app.neighbor_who(far).await;
    let why = json!({"reason": "field"});
    let cell = near.posted["requests"][0]["cell"].as_str().unwrap();
    let lines = |answer: Answer| {
        assert_eq!(answer.status, 200, "{}", answer.body);
        String::from_utf8(answer.bytes).unwrap().lines().count() - 1
    };
    for (filters, count) in [
        (String::new(), 3),
        ("?category=food".to_owned(), 2),
        (format!("?category=food&area={cell}"), 1),
        (format!("?area={cell}&state=open"), 2),
        ("?state=closed".to_owned(), 0),
    ] {
        let path = format!("/v1/exports/requests{filters}");
        let clear = file(&app, Method::GET, &path, &admin, None).await;
        assert_eq!(lines(clear), count, "{filters}");
        let whole = file(&app, Method::POST, &path, &admin, Some(why.clone())).await;
        assert_eq!(lines(whole), count, "{filters}");
    }
    let audit = app
        .get("/v1/audit?action=persons_exported", &admin)
        .await
        .ok();
    let details: Vec<&Value> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["detail"])
        .collect();
    assert_eq!(
        details[1],
        &json!({"kind": "requests", "posts": 2, "reason": "field", "area": cell, "state": "open"})
    );
    assert_eq!(details[3]["category"], "food");
    let wrong = "/v1/exports/requests?category=x&area=y&state=fulfilled";
    let wrong = file(&app, Method::GET, wrong, &admin, None).await;
    assert_eq!(wrong.pointers(), ["area", "category", "state"]);
    let sites = "/v1/exports/sites?format=geojson&category=food";
    let sites = file(&app, Method::GET, sites, &admin, None).await;
    assert_eq!(sites.pointers(), ["format"]);
    let matches = "/v1/exports/matches?state=accepted&category=food";
    assert_eq!(
        lines(file(&app, Method::GET, matches, &admin, None).await),
        0
    );
}
