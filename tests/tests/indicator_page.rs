//! The page of an indicator: what its estimate was earlier, by what had come then.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a step that fails is a failed test")]

use khaosat_tests::installation::{Installation, Server};
use khaosat_tests::phone::Phone;
use khaosat_tests::rows::change;
use serde_json::{Value, json};

/// The indicator of fibre, which the household's first questions decide.
const FIBRE: &str = "XHS-05";

fn estimate(server: &Server) -> Value {
    server.current_overview();
    server.indicator("82", FIBRE)["indicator"]["estimate"].clone()
}

fn bring(phone: &mut Phone, units: &[&str], fibre: &str) {
    for unit in units {
        phone.interview(unit, fibre);
    }
    phone.sync();
}

#[test]
fn an_estimate_is_told_as_it_was_a_day_and_a_week_ago() {
    let installation = Installation::new();
    let server = installation.serve();
    let mut phone = Phone::of(&installation, &server, &["28249-01", "28270-01"], 1);
    let movement = |server: &Server, place: usize| {
        server.current_overview();
        server.indicator("82", FIBRE)["movements"][place].clone()
    };

    bring(&mut phone, &["A1", "A2", "A3"], "yes");
    bring(&mut phone, &["A4", "A5", "A6"], "no");
    let first = estimate(&server);
    assert_eq!(first["households"], 6);
    // Everything came today, so that a day ago there was nothing.
    let before = movement(&server, 0);
    assert_eq!(
        (&before["days"], &before["households"], &before["point"]),
        (&json!(1), &json!(0), &Value::Null)
    );
    server.kill();

    // Two days go by.
    change(
        &installation.data(),
        "UPDATE earlier_sums SET hour = hour - 2 * 24 * 3600000",
    );
    let server = installation.serve();
    phone.move_to(server.address);
    bring(&mut phone, &["A7", "A8", "A9", "B1", "B2", "B3"], "yes");
    let second = estimate(&server);
    assert_eq!(second["households"], 12);
    let day = movement(&server, 0);
    assert_eq!((&day["households"], &day["point"]), (&json!(6), &first["point"]));
    let difference = second["point"].as_f64().unwrap() - first["point"].as_f64().unwrap();
    assert_eq!(day["difference"].as_f64().unwrap(), difference);
    let week = movement(&server, 1);
    assert_eq!(
        (&week["days"], &week["households"], &week["point"]),
        (&json!(7), &json!(0), &Value::Null)
    );
    server.kill();

    // Two more days, and one household: beside the present figure the earlier one would tell what that household said.
    change(
        &installation.data(),
        "UPDATE earlier_sums SET hour = hour - 2 * 24 * 3600000",
    );
    let server = installation.serve();
    phone.move_to(server.address);
    bring(&mut phone, &["B4"], "no");
    estimate(&server);
    let day = movement(&server, 0);
    assert_eq!(
        (&day["households"], &day["point"], &day["difference"]),
        (&json!(12), &Value::Null, &Value::Null)
    );

    // An erased household is in no earlier figure any more, even where that says less then.
    installation
        .run(&["response", "erase", "A1", "--reason", "xin xóa"])
        .success();
    let server = {
        server.kill();
        installation.serve()
    };
    phone.move_to(server.address);
    let day = movement(&server, 0);
    // Of its hamlet nothing is known of before, so that it counts as it is now: A2 to A9. The other one had three.
    assert_eq!(day["households"], 8 + 3);
}

#[test]
fn what_does_not_exist_is_said_to_be_missing() {
    let installation = Installation::new();
    let server = installation.serve();
    for (query, told) in [("unit=82&code=XHS-99", "XHS-99"), ("unit=99999&code=XHS-05", "99999")] {
        let address = format!("http://{}/api/v1/indicator?{query}", server.address);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .new_agent();
        let mut answer = agent.get(address).call().unwrap();
        assert_eq!(answer.status(), 404);
        let problem: Value = answer.body_mut().read_json().unwrap();
        assert!(problem["detail"].as_str().unwrap().contains(told), "{problem}");
    }
    // Nothing has come yet, and some indicators the survey does not measure.
    let page = server.indicator("82", FIBRE);
    assert_eq!(page["movements"][0]["households"], 0);
    let page = server.indicator("82", "KTS-01");
    assert_eq!(
        (&page["movements"], &page["indicator"]["estimate"]),
        (&json!([]), &Value::Null)
    );
    let commune = server.indicator("28249", FIBRE);
    assert_eq!(commune["not_modelled"], "no_estimate");
}
