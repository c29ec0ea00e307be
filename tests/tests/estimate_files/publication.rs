//! `[publication]`: estimates that rest on too little are empty, with the reason.

use crate::analyst::{Analyst, of};
use crate::bad_input::told;

/// Two communes: eight persons of four households, and five persons of two.
const DATA: &str = "w,commune,household,age\n1,A,1,20\n1,A,1,22\n1,A,2,31\n1,A,2,35\n1,A,3,40\n1,A,3,41\n1,A,4,50\n\
                    1,A,4,70\n1,B,5,20\n1,B,5,90\n1,B,6,1\n1,B,6,3\n1,B,6,80\n";
const REGISTRY: &str = "code,kind,numerator,domain\nA,mean,age,\nC,mean,age,age < 10\n";

fn design(rules: &str) -> String {
    format!("weights = \"w\"\n\n[[stage]]\ncluster = \"household\"\n\n[publication]\n{rules}")
}

fn analyst(rules: &str) -> Analyst {
    Analyst::new(DATA, &design(rules), REGISTRY)
}

#[test]
fn few_respondents_are_not_shown() {
    // Rows are respondents if nothing is said.
    let estimates = analyst("minimum_respondents = 6\n").estimates(&["commune"]);
    let (large, small) = (
        of(&estimates, "A", Some(("commune", "A"))),
        of(&estimates, "A", Some(("commune", "B"))),
    );
    assert!(large["point"].is_f64() && large.get("withheld").is_none());
    for part in ["point", "standard_error", "interval", "design_effect", "target"] {
        assert!(small[part].is_null(), "{small}");
    }
    assert_eq!(small["withheld"]["reason"], "too_few_respondents");
    assert_eq!(small["withheld"]["minimum"], 6);
    // Households, if the design says so; only those that the indicator is about.
    let estimates = analyst("minimum_respondents = 3\nrespondent = \"household\"\n").estimates(&["commune"]);
    assert!(of(&estimates, "A", Some(("commune", "A")))["point"].is_f64());
    assert_eq!(
        of(&estimates, "A", Some(("commune", "B")))["withheld"]["respondents"],
        2
    );
    assert_eq!(of(&estimates, "C", None)["withheld"]["respondents"], 1);
    // Five, if nothing is said of the number.
    let estimates = analyst("").estimates(&["commune"]);
    assert!(of(&estimates, "A", Some(("commune", "B")))["point"].is_f64());
    assert_eq!(of(&estimates, "C", None)["withheld"]["minimum"], 5);
}

#[test]
fn imprecise_estimates_are_not_shown() {
    let without = analyst("minimum_respondents = 1\n").estimates(&["commune"]);
    let own = |domain: &str, part: &str| of(&without, "A", Some(("commune", domain)))[part].as_f64().unwrap();
    let coefficient = |domain: &str| own(domain, "standard_error") / own(domain, "point");
    let (low, high) = (
        coefficient("A").min(coefficient("B")),
        coefficient("A").max(coefficient("B")),
    );
    assert!(low < high);
    let rules = format!(
        "minimum_respondents = 1\nmaximum_coefficient_of_variation = {}\n",
        (low + high) / 2.0
    );
    let estimates = analyst(&rules).estimates(&["commune"]);
    for domain in ["A", "B"] {
        let estimate = of(&estimates, "A", Some(("commune", domain)));
        let is_withheld = coefficient(domain) == high;
        assert_eq!(estimate["point"].is_null(), is_withheld, "{estimate}");
        if is_withheld {
            assert_eq!(estimate["withheld"]["reason"], "too_imprecise");
            assert_eq!(estimate["withheld"]["coefficient_of_variation"], high);
        }
    }
}

#[test]
fn the_reason_is_in_every_format() {
    let analyst = analyst("minimum_respondents = 6\n");
    let table = analyst.run(&["--by", "commune"]).success().text().to_owned();
    assert!(table.contains("không công bố: có ít hơn 6 người trả lời"), "{table}");
    let table = analyst
        .run(&["--language", "en", "--by", "commune"])
        .success()
        .text()
        .to_owned();
    assert!(table.contains("withheld: fewer than 6 respondents"), "{table}");
    let csv = analyst
        .run(&["--by", "commune", "--format", "csv"])
        .success()
        .text()
        .to_owned();
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| rows[0].iter().position(|column| *column == name).unwrap();
    assert_eq!(rows[3][column("withheld")], "too_few_respondents");
    assert_eq!(rows[3][column("point")], "");
    assert_eq!(rows[2][column("withheld")], "");
}

#[test]
fn a_withheld_area_keeps_only_what_the_model_says() {
    let rules =
        "minimum_respondents = 4\n\n[small_areas]\ncolumn = \"commune\"\nfile = \"communes.csv\"\ncovariates = []\n";
    let mut data = "w,commune,household,age\n".to_owned();
    for (commune, rows) in [("A", 3), ("B", 6), ("C", 7), ("D", 8)] {
        for row in 0..rows {
            data.push_str(&format!("1,{commune},{commune}{row},{}\n", 20 + row * row + rows));
        }
    }
    let analyst = Analyst::new(&data, &design(rules), "code,kind,numerator\nA,mean,age\n");
    analyst.write("communes.csv", "commune\nA\nB\nC\nD\n");
    let estimates = analyst.estimates(&["commune"]);
    let modelled = |commune: &str| &of(&estimates, "A", Some(("commune", commune)))["modelled"];
    assert!(modelled("A")["estimate"].is_f64() && modelled("B")["synthetic"].is_f64());
    for part in [
        "direct_weight",
        "synthetic",
        "sampling_variance",
        "standardised_residual",
    ] {
        assert!(modelled("A")[part].is_null(), "{}", modelled("A"));
    }
}

#[test]
fn rules_that_are_none() {
    told(
        &analyst("maximum_coefficient_of_variation = -1.0\n"),
        &[],
        &["design.toml", "dòng 7: maximum_coefficient_of_variation"],
        &["design.toml", "line 7: maximum_coefficient_of_variation must be"],
    );
    told(
        &analyst("respondent = \"houshold\"\n"),
        &[],
        &["respondent", "có phải là \"household\"?"],
        &["respondent", "did you mean \"household\"?"],
    );
    told(&analyst("minimum_respondents = -3\n"), &[], &["line 7"], &["line 7"]);
}
