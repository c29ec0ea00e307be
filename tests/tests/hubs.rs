//! Hubs: communes' own servers, which forward to the one above when they can. Everything arrives, once, at both levels.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use std::path::Path;
use std::time::{Duration, Instant};

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::{Phone, agent};
use serde_json::{Value, json};
use survey_forms::answers::AnswerPath;
use sync_core::exchange::{Limits, forwarding, wire};

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];

/// Makes one installation a hub of another.
fn join(hub: &Installation, upstream: &Installation, server: &Server, hamlets: &[&str]) {
    let code = upstream.invite_hub(hamlets);
    let address = format!("http://{}", server.address);
    hub.run(&["upstream", "join", &address, &code]).success();
}

/// Lets a hub reach its upstream: what it brought, what of it waits there or was refused, what was new for it, and what
/// of that it did not take.
fn reach(hub: &Installation) -> [u64; 5] {
    let reached = hub.run(&["upstream", "sync", "--format", "json"]).success().json();
    ["brought", "waiting", "refused", "new", "not_taken"].map(|name| reached[name].as_u64().unwrap())
}

fn open_conflicts(server: &Server) -> u64 {
    server.current_overview()["coverage"]["open_conflicts"]
        .as_u64()
        .unwrap()
}

/// How many conflicts a phone shows in a response.
fn conflicts(phone: &mut Phone, unit: &str) -> usize {
    phone.open(unit).read().conflicts.len()
}

/// Decides which answer to [`Phone::interview`]'s question is right.
fn settle(phone: &mut Phone, unit: &str, fibre_available: &str) {
    phone.edit(unit, |edit| {
        edit.settle(&AnswerPath::top("fibre_available"), Some(&fibre_available.into()))
    });
}

/// A province and a hub of its whole territory, with a server each.
struct World {
    province: Installation,
    hub: Installation,
    above: Server,
    below: Server,
}

impl World {
    fn new() -> Self {
        let province = Installation::new();
        let hub = province.twin();
        let (above, below) = (province.serve(), hub.serve());
        join(&hub, &province, &above, &HAMLETS);
        Self {
            province,
            hub,
            above,
            below,
        }
    }

    fn phone_above(&self, number: u8) -> Phone {
        Phone::of(&self.province, &self.above, &HAMLETS, number)
    }

    fn phone_below(&self, number: u8) -> Phone {
        Phone::of(&self.hub, &self.below, &HAMLETS, number)
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn a_hub_and_its_upstream_come_to_say_what_one_server_would() {
    let world = World::new();
    let (mut one, mut two) = (world.phone_below(1), world.phone_above(2));
    let direct = world.province.twin();
    let server = direct.serve();
    let (mut first, mut second) = (
        Phone::of(&direct, &server, &HAMLETS, 1),
        Phone::of(&direct, &server, &HAMLETS, 2),
    );
    for phone in [&mut one, &mut first] {
        for (unit, text) in [("A1", "yes"), ("A2", "no"), ("A3", "yes"), ("B1", "no"), ("B2", "yes")] {
            phone.interview(unit, text);
        }
        phone.sync();
    }
    for phone in [&mut two, &mut second] {
        for (unit, text) in [("A1", "no"), ("A4", "yes"), ("B1", "no"), ("B3", "no")] {
            phone.interview(unit, text);
        }
        phone.sync();
    }
    assert_eq!(reach(&world.hub), [5, 0, 0, 4, 0]);
    let expected = server.figures();
    assert_eq!(world.above.figures(), expected);
    assert_eq!(world.below.figures(), expected);
    assert_eq!(expected["coverage"]["open_conflicts"], 1);
    // Neither brings the other what it has from it.
    assert_eq!(reach(&world.hub), [0; 5]);
    // Phones at both levels get what was written at the other.
    for phone in [&mut one, &mut two] {
        phone.sync();
        assert_eq!((phone.responses.len(), conflicts(phone, "A1")), (7, 1));
    }
}

#[test]
fn a_running_hub_forwards_by_itself_what_arrives() {
    let world = World::new();
    let World { hub, below, above, .. } = world;
    drop(below);
    let below = hub.serve();
    let mut phone = Phone::of(&hub, &below, &HAMLETS, 1);
    phone.interview("A1", "yes");
    phone.sync();
    let start = Instant::now();
    while above.current_overview()["coverage"]["received"] != 1 {
        assert!(start.elapsed() < Duration::from_secs(120), "nothing arrives");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(above.figures(), below.figures());
}

#[test]
fn phones_change_between_the_levels_without_sending_twice() {
    let world = World::new();
    let mut phone = world.phone_below(1);
    phone.interview("A1", "yes");
    phone.interview("A2", "no");
    phone.sync();
    assert_eq!(reach(&world.hub), [2, 0, 0, 0, 0]);
    // What the hub has forwarded the phone need not send upward again.
    phone.interview("A3", "yes");
    phone.switch(&world.province, &world.above, &HAMLETS);
    let sent: usize = phone.sync().iter().map(|received| received.acknowledged).sum();
    assert_eq!(sent, 1);
    // Nor does it miss anything when it comes back.
    let mut other = world.phone_above(2);
    other.interview("B1", "yes");
    other.sync();
    assert_eq!(reach(&world.hub), [0, 0, 0, 2, 0]);
    phone.switch(&world.hub, &world.below, &HAMLETS);
    let sent: usize = phone.sync().iter().map(|received| received.acknowledged).sum();
    assert_eq!((sent, phone.responses.len()), (0, 4));

    // What the hub has not forwarded yet goes both ways, and counts once.
    phone.interview("A4", "yes");
    phone.sync();
    phone.switch(&world.province, &world.above, &HAMLETS);
    phone.sync();
    assert_eq!(reach(&world.hub), [1, 0, 0, 0, 0]);
    assert_eq!(world.above.figures(), world.below.figures());
    assert_eq!(world.above.current_overview()["freshness"]["log_head"], 5);
    assert_eq!(world.below.current_overview()["freshness"]["log_head"], 5);
}

#[test]
fn settlements_of_both_levels_meet() {
    let world = World::new();
    let (mut one, mut two) = (world.phone_below(1), world.phone_above(2));
    one.interview("A1", "yes");
    two.interview("A1", "no");
    one.sync();
    two.sync();
    reach(&world.hub);
    one.sync();
    two.sync();
    assert_eq!((open_conflicts(&world.above), open_conflicts(&world.below)), (1, 1));
    // One level settles, and it is settled at both.
    settle(&mut one, "A1", "yes");
    one.sync();
    reach(&world.hub);
    assert_eq!((open_conflicts(&world.above), open_conflicts(&world.below)), (0, 0));
    // Both settle without knowing of each other, differently: a conflict again, at both.
    two.sync();
    settle(&mut one, "A1", "no");
    settle(&mut two, "A1", "dont_know");
    one.sync();
    two.sync();
    reach(&world.hub);
    assert_eq!((open_conflicts(&world.above), open_conflicts(&world.below)), (1, 1));
    one.sync();
    two.sync();
    assert_eq!((conflicts(&mut one, "A1"), conflicts(&mut two, "A1")), (1, 1));
}

#[test]
fn a_hub_that_was_set_back_gets_back_what_it_had_brought() {
    let World {
        province,
        hub,
        above,
        below,
    } = World::new();
    let mut phone = Phone::of(&hub, &below, &HAMLETS, 1);
    phone.interview("A1", "yes");
    phone.sync();
    reach(&hub);
    below.kill();
    let folder = tempfile::tempdir().unwrap();
    copy(&hub.data(), folder.path());

    let below = hub.serve();
    phone.move_to(below.address);
    phone.interview("A2", "yes");
    phone.sync();
    reach(&hub);
    assert_eq!(above.current_overview()["coverage"]["received"], 2);
    below.kill();
    // The phone that wrote A2 is gone; only the province has it.
    drop(phone);
    std::fs::remove_dir_all(hub.data()).unwrap();
    copy(folder.path(), &hub.data());
    let below = hub.serve();
    assert_eq!(below.current_overview()["coverage"]["received"], 1);
    reach(&hub);
    assert_eq!(below.figures(), above.figures());
    assert_eq!(reach(&hub), [0; 5]);
    drop(province);
}

#[test]
fn a_province_that_was_set_back_gets_what_it_lost_and_nothing_else() {
    let World {
        province,
        hub,
        above,
        below,
    } = World::new();
    let mut phone = Phone::of(&hub, &below, &HAMLETS, 1);
    let mut other = Phone::of(&province, &above, &HAMLETS, 2);
    phone.interview("A1", "yes");
    phone.sync();
    reach(&hub);
    let address = above.address;
    above.kill();
    let folder = tempfile::tempdir().unwrap();
    copy(&province.data(), folder.path());

    // What a phone of the province itself writes reaches the hub, and is lost above with the phone.
    let above = Server::start(&province.data(), address);
    other.interview("B1", "no");
    other.sync();
    phone.interview("A2", "yes");
    phone.sync();
    assert_eq!(reach(&hub), [1, 0, 0, 1, 0]);
    let expected = above.figures();
    above.kill();
    drop(other);
    std::fs::remove_dir_all(province.data()).unwrap();
    copy(folder.path(), &province.data());
    let above = Server::start(&province.data(), address);
    assert_eq!(above.current_overview()["coverage"]["received"], 1);
    assert_eq!(reach(&hub), [2, 0, 0, 0, 0]);
    assert_eq!(above.figures(), expected);
    assert_eq!(below.figures(), expected);
    assert_eq!(reach(&hub), [0; 5]);
}

#[test]
fn a_hub_that_changes_its_upstream_brings_what_is_missing_there() {
    let World {
        province,
        hub,
        above,
        below,
    } = World::new();
    let mut below_phone = Phone::of(&hub, &below, &HAMLETS, 1);
    let mut above_phone = Phone::of(&province, &above, &HAMLETS, 2);
    below_phone.interview("A1", "yes");
    below_phone.sync();
    above_phone.interview("B1", "no");
    above_phone.sync();
    assert_eq!(reach(&hub), [1, 0, 0, 1, 0]);
    above.kill();
    // Another installation takes the province's place, which had a copy of it in the beginning.
    let successor = province.twin();
    let above = successor.serve();
    join(&hub, &successor, &above, &HAMLETS);
    // Also what came from the old one is brought.
    assert_eq!(reach(&hub), [2, 0, 0, 0, 0]);
    assert_eq!(above.figures(), below.figures());
    assert_eq!(reach(&hub), [0; 5]);
}

#[test]
fn a_hub_speaks_for_its_own_hamlets_only() {
    let province = Installation::new();
    let hub = province.twin();
    let (above, below) = (province.serve(), hub.serve());
    join(&hub, &province, &above, &HAMLETS[..1]);
    let mut phone = Phone::of(&hub, &below, &HAMLETS, 1);
    let mut other = Phone::of(&province, &above, &HAMLETS, 2);
    phone.interview("A1", "yes");
    phone.interview("B1", "yes");
    phone.sync();
    other.interview("A2", "yes");
    other.interview("B2", "yes");
    other.sync();
    // B1 is refused above, and B2 does not come down.
    assert_eq!(reach(&hub), [2, 0, 1, 1, 0]);
    assert_eq!(above.current_overview()["coverage"]["received"], 3);
    let shown = hub.run(&["upstream", "show", "--format", "json"]).success().json();
    assert_eq!(shown["behind"], 0);
    assert_eq!(shown["unsettled"][0]["changes"], 1, "{shown}");
    assert!(
        shown["unsettled"][0]["reason"].as_str().unwrap().contains("hamlet"),
        "{shown}"
    );
    // It stays at the hub, is brought again on the next occasion, and arrives once the hub may bring it.
    assert_eq!(reach(&hub), [1, 0, 1, 0, 0]);
    join(&hub, &province, &above, &HAMLETS);
    reach(&hub);
    assert_eq!(above.figures(), below.figures());
    let shown = hub.run(&["upstream", "show", "--format", "json"]).success().json();
    assert_eq!(
        (shown["behind"].clone(), shown["unsettled"].clone()),
        (json!(0), json!([]))
    );
}

#[test]
fn what_an_official_let_in_reaches_the_hub_of_its_hamlet() {
    let province = Installation::new();
    let hub = province.twin();
    let (above, below) = (province.serve(), hub.serve());
    join(&hub, &province, &above, &HAMLETS[1..]);
    // Its author may write nothing in the hub's hamlet, so the hub has not heard of it.
    let mut phone = Phone::of(&province, &above, &HAMLETS[..1], 1);
    phone.interview("B1", "yes");
    phone.sync();
    assert_eq!(reach(&hub), [0; 5]);
    let key = phone.key.public().to_string();
    province
        .run(&["quarantine", "release", "--device", &key, "--reason", "Đã hỏi hộ"])
        .success();
    assert_eq!(reach(&hub), [0, 0, 0, 1, 0]);
    assert_eq!(below.current_overview()["coverage"]["received"], 1);
}

#[test]
fn an_erasure_at_one_level_reaches_the_other() {
    let world = World::new();
    let mut phone = world.phone_below(1);
    for unit in ["A1", "A2", "A3"] {
        phone.interview(unit, "yes");
    }
    phone.sync();
    reach(&world.hub);
    world
        .province
        .run(&["response", "erase", "A1", "--reason", "12/QĐ"])
        .success();
    world
        .hub
        .run(&["response", "erase", "A2", "--reason", "13/QĐ"])
        .success();
    reach(&world.hub);
    assert_eq!(world.above.current_overview()["coverage"]["received"], 1);
    assert_eq!(world.above.figures(), world.below.figures());
    phone.sync();
    assert_eq!(phone.responses.keys().collect::<Vec<_>>(), ["A3"]);
    let again = world
        .province
        .run(&["response", "erase", "A2", "--reason", "13/QĐ"])
        .success();
    assert!(again.text().contains("erased before"), "{}", again.text());
}

#[test]
fn hubs_below_hubs_are_reached() {
    let World {
        province,
        hub: middle,
        above,
        below: middle_server,
    } = World::new();
    let outer = province.twin();
    let outer_server = outer.serve();
    join(&outer, &middle, &middle_server, &HAMLETS[..1]);
    let mut phone = Phone::of(&outer, &outer_server, &HAMLETS, 1);
    let mut far = Phone::of(&province, &above, &HAMLETS, 2);
    phone.interview("A1", "yes");
    phone.sync();
    far.interview("A1", "no");
    far.interview("A2", "no");
    far.sync();
    assert_eq!(reach(&outer), [1, 0, 0, 0, 0]);
    assert_eq!(reach(&middle), [1, 0, 0, 2, 0]);
    assert_eq!(reach(&outer), [0, 0, 0, 2, 0]);
    let expected = above.figures();
    assert_eq!(middle_server.figures(), expected);
    assert_eq!(outer_server.figures(), expected);
    assert_eq!([reach(&outer), reach(&middle)], [[0; 5]; 2]);
}

#[test]
fn only_hubs_forward_and_only_what_was_signed() {
    let world = World::new();
    let post = |token: &str, body: &[u8]| -> (u16, Value) {
        let request = agent()
            .post(format!("http://{}/api/v1/forward", world.above.address))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", wire::CONTENT_TYPE)
            .header("content-encoding", wire::CONTENT_ENCODING);
        let mut answer = request.send(body).unwrap();
        let status = answer.status().as_u16();
        let body = answer.body_mut().read_to_vec().unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    };
    let token = std::fs::read_to_string(world.hub.data().join("upstream.token")).unwrap();
    let token = token.trim();

    // A phone's token does not do, nor does rubbish.
    let mut phone = world.phone_above(1);
    phone.interview("A1", "yes");
    phone.sync();
    let empty =
        wire::encode(&forwarding::ForwardingState::default().request(forwarding::Piece::default(), None, None, 0));
    let (status, problem) = post(&phone.token, &empty.unwrap());
    assert_eq!((status, &problem["type"]), (403, &json!("/problems/no-hub")));
    assert!(problem["detail"].as_str().unwrap().contains("device invite --hub"));
    for rubbish in [&b""[..], b"rubbish", &[0x0b, 0x02, 0x80, 0xff, 0x03]] {
        assert_eq!(post(token, rubbish).0, 400, "{rubbish:?}");
    }

    // What the phone wrote, but for one byte.
    let request = forwarding::ForwardingState::default().request(forwarding::Piece::default(), None, None, 0);
    let answer = agent()
        .post(format!("http://{}/api/v1/forward", world.above.address))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", wire::CONTENT_TYPE)
        .header("content-encoding", wire::CONTENT_ENCODING)
        .send(&wire::encode(&request).unwrap()[..])
        .unwrap()
        .body_mut()
        .read_to_vec()
        .unwrap();
    let answer: forwarding::ForwardResponse = wire::decode(&answer, &Limits::default()).unwrap();
    assert_eq!(answer.carried.change_count(), 1);
    let mut forged = request.clone();
    forged.carried = answer.carried;
    forged.carried.attestations[0].hashes[0] ^= 1;
    let (status, problem) = post(token, &wire::encode(&forged).unwrap());
    assert_eq!(
        (status, &problem["type"]),
        (422, &json!("/problems/invalid-attestation"))
    );
    assert_eq!(world.above.current_overview()["freshness"]["log_head"], 1);
}

#[test]
fn an_upstream_is_joined_only_by_a_safe_way() {
    let world = World::new();
    for (address, wanted) in [
        ("http://khaosat.example", "https://"),
        ("http://127.0.0.1:1", "127.0.0.1:1"),
    ] {
        let refused = world.hub.run(&["upstream", "join", address, "X"]).failure();
        assert!(refused.stderr.contains(wanted), "{}", refused.stderr);
    }
    let refused = world
        .hub
        .run(&[
            "upstream",
            "join",
            &format!("http://{}", world.above.address),
            "0000-0000",
        ])
        .failure();
    assert!(refused.stderr.contains("403"), "{}", refused.stderr);
    // The upstream that was joined before is still there, and its token is nobody else's to read.
    assert_eq!(reach(&world.hub), [0; 5]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let token = world.hub.data().join("upstream.token");
        assert_eq!(std::fs::metadata(token).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let alone = world.province.run(&["upstream", "sync"]).failure();
    assert!(alone.stderr.contains("upstream join"), "{}", alone.stderr);
}

#[test]
fn a_hub_fetches_its_round_with_the_addresses_of_its_own_households() {
    let province = Installation::new();
    let above = province.serve();
    let hub = province.empty();
    join(&hub, &province, &above, &HAMLETS[..1]);
    let listed = hub.run(&["round", "list"]).success();
    assert!(listed.text().contains(&province.round.to_string()), "{}", listed.text());
    // Joining again makes no second round.
    join(&hub, &province, &above, &HAMLETS[..1]);
    assert_eq!(hub.run(&["round", "list"]).success().text().lines().count(), 1);

    let below = hub.serve();
    let mut phone = Phone::of(&hub, &below, &HAMLETS[..1], 1);
    phone.interview("A1", "yes");
    phone.interview("A2", "no");
    phone.sync();
    // The hub's server, which was started after it joined, may have brought them already.
    let brought = reach(&hub);
    assert!([[2, 0, 0, 0, 0], [0; 5]].contains(&brought), "{brought:?}");
    assert_eq!(above.figures(), below.figures());

    // Who is no hub gets no frame.
    let frame = format!("http://{}/api/v1/rounds/{}/frame", above.address, province.round);
    let ask = |token: &str| {
        let request = agent().get(&frame).header("authorization", format!("Bearer {token}"));
        let mut answer = request.call().unwrap();
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_json::<Value>().unwrap())
    };
    let phone = Phone::of(&province, &above, &HAMLETS, 2);
    let (status, problem) = ask(&phone.token);
    assert_eq!((status, &problem["type"]), (403, &json!("/problems/no-hub")));
    let token = std::fs::read_to_string(hub.data().join("upstream.token")).unwrap();
    let (status, frame) = ask(token.trim());
    assert_eq!((status, frame["hamlets"].as_array().unwrap().len()), (200, 2));
    let households = frame["households"].as_array().unwrap();
    assert_eq!(households.len(), 18);
    for household in households {
        let own = household["hamlet_code"] == HAMLETS[0];
        assert_eq!(household["address"] != "", own, "{household}");
    }
}
