//! What is printed, and what becomes of missing answers, domains and targets.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::analyst::{Analyst, of};

const DATA: &str = "w,district,sex,age,owns\n\
                    1,Cái Bè,nam,20,1\n\
                    1,Cái Bè,nu,30,0\n\
                    1,Cái Bè,nam,14,NA\n\
                    1,Gò Công,nu,40,1\n\
                    1,Gò Công,nam,50,NA\n\
                    5,Gò Công,nu,60,1\n\
                    1,,nu,70,1\n";
const DESIGN: &str = "weights = \"w\"\ninterval = \"student_t\"\nconfidence = 0.9\n";
const REGISTRY: &str = "code,name,kind,numerator,denominator,domain,operator,target_percent\n\
                        OWN,Owns a phone,proportion,owns,,age >= 15,>=,10\n\
                        AGE,,mean,age,,sex = 'nu',,\n";

fn analyst() -> Analyst {
    Analyst::new(DATA, DESIGN, REGISTRY)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn complete_cases_are_estimated_and_the_share_of_the_others_is_told() {
    let estimates = analyst().estimates(&["district"]);
    // Of 15 and over: weights 1, 1, 1, 5, 1 know, weight 1 does not; (1 + 0 + 1 + 5 + 1) / 9.
    let owns = of(&estimates, "OWN", None);
    assert!((owns["point"].as_f64().unwrap() - 8.0 / 9.0).abs() < 1e-15);
    assert_eq!(owns["rows"], 5);
    assert_eq!(owns["missing"]["rows"], 1);
    assert_eq!(owns["missing"]["share"].as_f64(), Some(1.0 / 6.0));
    assert_eq!(owns["missing"]["weighted_share"].as_f64(), Some(0.1));
    let west = of(&estimates, "OWN", Some(("district", "Cái Bè")));
    assert_eq!((&west["point"], &west["missing"]["rows"]), (&json!(0.5), &json!(0)));
    let east = of(&estimates, "OWN", Some(("district", "Gò Công")));
    assert_eq!(
        (&east["point"], &east["rows"], &east["missing"]["rows"]),
        (&json!(1.0), &json!(2), &json!(1))
    );
    // (30 + 40 + 5·60 + 70) / 8.
    assert_eq!(of(&estimates, "AGE", None)["point"], 55.0);
    // Whose district is not known is in none.
    assert_eq!(estimates.len(), 6);
}

#[test]
fn domains_may_be_crossed() {
    let estimates = analyst().estimates(&["district,sex", "sex"]);
    let crossed: Vec<&Value> = estimates
        .iter()
        .filter(|estimate| estimate["code"] == "OWN" && estimate["domain"].as_object().unwrap().len() == 2)
        .collect();
    let of_crossed: Vec<Value> = crossed
        .iter()
        .map(|estimate| {
            json!([
                estimate["domain"]["district"],
                estimate["domain"]["sex"],
                estimate["point"]
            ])
        })
        .collect();
    assert_eq!(
        of_crossed,
        [
            json!(["Cái Bè", "nam", 1.0]),
            json!(["Cái Bè", "nu", 0.0]),
            json!(["Gò Công", "nam", null]),
            json!(["Gò Công", "nu", 1.0]),
        ]
    );
    assert_eq!(crossed[2]["absences"]["point"], "empty_domain");
    assert_eq!(of(&estimates, "OWN", Some(("sex", "nam")))["point"], 1.0);
}

#[test]
fn the_decision_follows_the_interval() {
    // s² over 7 rows drawn with replacement, of z = w(y − p)/9 with p = 8/9: 1/81·(1, −8, 0, 1, 0, 5, 1).
    let estimates = analyst().estimates(&[]);
    let owns = of(&estimates, "OWN", None);
    let variance: f64 = 7.0 / 6.0 * (1.0 + 64.0 + 1.0 + 25.0 + 1.0) / (81.0 * 81.0);
    assert!((owns["standard_error"].as_f64().unwrap() - variance.sqrt()).abs() < 1e-14);
    // The domain has 5 rows of one stratum: 4 degrees of freedom, whose 95 % quantile is 2.131846786 (tables of t).
    let half = 2.131_846_786 * variance.sqrt();
    let lower = owns["interval"]["lower"].as_f64().unwrap();
    assert!((lower - (8.0 / 9.0 - half)).abs() < 1e-9);
    assert_eq!(owns["interval"]["level"], 0.9);
    assert_eq!(owns["choice"], json!({"method": "student_t", "reason": "requested"}));
    assert_eq!(
        owns["target"],
        json!({"operator": ">=", "percent": 10.0, "decision": "met"})
    );
    let decided = |percent: &str| {
        let registry = REGISTRY.replace(">=,10", &format!(">=,{percent}"));
        let estimates = Analyst::new(DATA, DESIGN, &registry).estimates(&[]);
        of(&estimates, "OWN", None)["target"]["decision"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(decided("80"), "undecided");
    assert_eq!(decided("130"), "missed");
}

#[test]
fn a_proportion_of_counts_and_who_is_not_asked() {
    // Users among members of 15 and over, per household; the household without such members was not asked.
    let data = "w,users,members\n2,1,3\n1,2,2\n4,NA,0\n";
    let analyst = Analyst::new(
        data,
        "weights = \"w\"\n",
        "code,kind,numerator,denominator\nU,proportion,users,members\n",
    );
    let estimate = &analyst.estimates(&[])[0];
    // (2·1 + 1·2) / (2·3 + 1·2).
    assert_eq!(estimate["point"], 0.5);
    assert_eq!(estimate["missing"]["rows"], 0);
}

#[test]
fn json_has_one_shape() {
    let json = analyst().run(&["--format", "json", "--by", "sex"]).success().json();
    assert_eq!(keys(&json), BTreeSet::from(["sample", "estimates"]));
    let sample = &json["sample"];
    assert_eq!(
        keys(sample),
        BTreeSet::from([
            "rows",
            "first_stage_units",
            "first_stage_strata",
            "confidence",
            "weights",
            "calibration",
            "replicates"
        ])
    );
    assert_eq!((&sample["rows"], &sample["confidence"]), (&json!(7), &json!(0.9)));
    assert_eq!(sample["weights"]["sum"], 11.0);
    for estimate in json["estimates"].as_array().unwrap() {
        assert_eq!(
            keys(estimate),
            BTreeSet::from([
                "code",
                "name",
                "kind",
                "domain",
                "point",
                "standard_error",
                "interval",
                "choice",
                "design_effect",
                "design_effect_with_replacement",
                "degrees_of_freedom",
                "rows",
                "population",
                "absences",
                "missing",
                "target"
            ])
        );
        assert_eq!(
            keys(&estimate["absences"]),
            BTreeSet::from(["point", "standard_error", "interval", "design_effect"])
        );
        assert_eq!(
            keys(&estimate["missing"]),
            BTreeSet::from(["rows", "share", "weighted_share"])
        );
        // What is absent has its reason, and only that.
        for part in ["point", "standard_error", "interval"] {
            assert_eq!(
                estimate[part].is_null(),
                !estimate["absences"][part].is_null(),
                "{estimate}"
            );
        }
    }
}

#[test]
fn csv_has_one_line_per_estimate() {
    let ended = analyst()
        .run(&["--format", "csv", "--by", "district", "--by", "sex"])
        .success();
    let lines: Vec<&str> = ended.text().lines().collect();
    assert!(
        lines[0].starts_with("code,name,kind,by_district,by_sex,point,standard_error,lower,upper,confidence,"),
        "{}",
        lines[0]
    );
    assert_eq!(lines.len(), 1 + 2 * (1 + 2 + 2));
    let columns = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == columns));
    assert!(
        lines[2].starts_with("OWN,Owns a phone,proportion,Cái Bè,,0.5,"),
        "{}",
        lines[2]
    );
}

#[test]
fn the_table_says_everything_in_both_languages() {
    let vietnamese = analyst().run(&["--by", "district"]).success();
    for words in [
        "88,9 %",
        "district = Cái Bè",
        "Sai số chuẩn",
        "≥ 10 %: đạt",
        "Bậc tự do",
        "theo yêu cầu",
        "10,0 %",
    ] {
        assert!(
            vietnamese.text().contains(words),
            "{words} is not in\n{}",
            vietnamese.text()
        );
    }
    let english = analyst().run(&["--by", "district,sex", "--language", "en"]).success();
    // In Gò Công no man has told.
    for words in [
        "88.9 %",
        "90 % interval",
        "district = Gò Công; sex = nam",
        "[2] no sampled element is in the domain",
    ] {
        assert!(english.text().contains(words), "{words} is not in\n{}", english.text());
    }
}
