//! `[hot_deck]`: gaps filled from other rows, and Rubin's rules over the fillings.

use serde_json::Value;

use crate::analyst::{Analyst, of};
use crate::bad_input::told;

const DESIGN: &str = "weights = \"w\"\n\n[[stage]]\ncluster = \"hamlet\"\n\n[hot_deck]\nclasses = [\"class\"]\n";
const REGISTRY: &str = "code,kind,numerator,domain\nY,mean,y,\nP,proportion,y >= 6,\nC,mean,y,z = 1\n";

fn analyst(data: &str, settings: &str) -> Analyst {
    Analyst::new(data, &format!("{DESIGN}{settings}"), REGISTRY)
}

fn number(estimate: &Value, part: &str) -> f64 {
    estimate[part]
        .as_f64()
        .unwrap_or_else(|| panic!("no {part} in {estimate}"))
}

/// Six hamlets of two persons. In a class each who answers is the only one, so that the gaps have one filling.
fn data(gaps: [&str; 3]) -> String {
    let [first, second, third] = gaps;
    format!(
        "w,hamlet,class,y,z\n1,1,a,3,1\n2,1,b,8,1\n1,2,a,{first},1\n2,2,c,5,1\n1,3,b,{second},0\n1,3,d,9,1\n3,4,c,{third},1\n\
         1,4,e,2,1\n1,5,f,7,0\n2,5,g,4,1\n1,6,h,6,1\n1,6,i,1,1\n"
    )
}

#[test]
fn with_one_donor_a_gap_has_the_donor_s_answer() {
    let settings = "imputations = 3\nseed = 1\n";
    let filled = analyst(&data(["", "NA", ""]), settings).estimates(&["z"]);
    let by_hand = Analyst::new(
        &data(["3", "8", "5"]),
        DESIGN.split("\n[hot_deck]").next().unwrap(),
        REGISTRY,
    );
    let by_hand = by_hand.estimates(&["z"]);
    for code in ["Y", "P", "C"] {
        for domain in [None, Some(("z", "1"))] {
            let (ours, theirs) = (of(&filled, code, domain), of(&by_hand, code, domain));
            for part in ["point", "standard_error"] {
                assert!(
                    (number(ours, part) - number(theirs, part)).abs() < 1e-12,
                    "{code} {part}"
                );
            }
            // All fillings are alike, so that no information is missing; of ν degrees, Barnard & Rubin leave a part.
            let imputation = &ours["imputation"];
            assert_eq!(number(imputation, "between"), 0.0);
            assert_eq!(number(imputation, "missing_information"), 0.0);
            let complete = number(theirs, "degrees_of_freedom");
            let expected = (complete + 1.0) / (complete + 3.0) * complete;
            assert!((number(imputation, "degrees_of_freedom") - expected).abs() < 1e-12);
        }
    }
    // How many were missing is said as it is without a hot deck.
    assert_eq!(of(&filled, "Y", None)["missing"]["rows"], 3);
    assert_eq!(of(&filled, "C", None)["missing"]["rows"], 2);
}

/// Two classes with several answers and gaps.
fn classes() -> String {
    let mut data = "w,hamlet,class,y,z\n".to_owned();
    for row in 0..40 {
        let y = if row % 4 == 1 {
            String::new()
        } else {
            (row * 7 % 11).to_string()
        };
        data.push_str(&format!("1,{},{},{y},1\n", row / 4, row % 2));
    }
    data
}

#[test]
fn many_fillings_centre_on_the_classes_means_and_add_their_variance() {
    let estimates = |settings: &str| analyst(&classes(), settings).estimates(&[]);
    let estimates_once = estimates("imputations = 400\nseed = 5\n");
    let estimate = of(&estimates_once, "Y", None);
    // Whoever is missing has, on average, the mean of the class. Rows with an odd number are class 1.
    let answers = |class: usize| {
        (0..40)
            .filter(move |row| row % 2 == class && row % 4 != 1)
            .map(|row| (row * 7 % 11) as f64)
    };
    let mean = |class: usize| answers(class).sum::<f64>() / answers(class).count() as f64;
    let expected = (answers(0).sum::<f64>() + answers(1).sum::<f64>() + 10.0 * mean(1)) / 40.0;
    let imputation = &estimate["imputation"];
    let (within, between) = (number(imputation, "within"), number(imputation, "between"));
    let point = number(estimate, "point");
    assert!(
        (point - expected).abs() < 5.0 * (between / 400.0).sqrt(),
        "{point} {expected} {between}"
    );
    // T = U + (1 + 1/m)·B, and the interval is Student's t with Barnard & Rubin's degrees of freedom.
    let variance = number(estimate, "standard_error").powi(2);
    assert!((variance - within - (1.0 + 1.0 / 400.0) * between).abs() < 1e-12);
    assert!(between > 0.0);
    let share = (1.0 + 1.0 / 400.0) * between / variance;
    let complete = 9.0;
    let (gaps, observed) = (
        399.0 / (share * share),
        (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share),
    );
    let degrees = 1.0 / (1.0 / gaps + 1.0 / observed);
    assert!((number(imputation, "degrees_of_freedom") - degrees).abs() < 1e-9);
    assert_eq!(estimate["interval"]["method"], "student_t");
    assert_eq!(of(&estimates_once, "P", None)["interval"]["method"], "logit");
    assert_eq!(estimate["absences"]["design_effect"], "combined");
    // The same seed gives the same figures, another one others.
    let few = estimates("imputations = 5\nseed = 5\n");
    assert_eq!(estimates("imputations = 5\nseed = 5\n"), few);
    assert_ne!(
        number(of(&estimates("imputations = 5\nseed = 6\n"), "Y", None), "point"),
        number(of(&few, "Y", None), "point")
    );
}

#[test]
fn what_cannot_be_filled_is_told() {
    let sound = "imputations = 5\nseed = 1\n";
    let gaps = data(["", "NA", ""]);
    told(
        &analyst(&gaps.replace("1,6,h,6,1", "1,6,h,,1"), sound),
        &[],
        &[
            "data.csv",
            "dòng 12, cột y: thiếu giá trị của Y, và không ai trong lớp này có",
        ],
        &[
            "data.csv",
            "line 12, column y: a value of Y is missing, and nobody in this class has one",
        ],
    );
    told(
        &analyst(&gaps.replace("1,6,h,6,1", "1,6,,6,1"), sound),
        &[],
        &["data.csv", "dòng 12, cột class: ô trống"],
        &["data.csv", "line 12, column class: the cell is empty"],
    );
    told(
        &analyst(&gaps, "imputations = 1\nseed = 1\n"),
        &[],
        &["dòng 8", "1"],
        &["line 8", "1"],
    );
    told(&analyst(&gaps, "imputations = 5\n"), &[], &["seed"], &["seed"]);
    told(
        &analyst(&gaps, sound).with_design(&format!("interval = \"wilson\"\n{DESIGN}{sound}")),
        &[],
        &["dòng 9: với [hot_deck], interval"],
        &["line 9: with [hot_deck], interval can only be"],
    );
    told(
        &analyst(&gaps, sound).with_design(&format!("missing = \"refuse\"\n{DESIGN}{sound}")),
        &[],
        &["dòng 9: [hot_deck] không dùng cùng"],
        &["line 9: [hot_deck] does not go with"],
    );
    told(
        &analyst(&gaps, sound).with_design(&format!("{DESIGN}{sound}").replace("[\"class\"]", "[\"clas\"]")),
        &[],
        &["classes", "có phải là \"class\"?"],
        &["classes", "did you mean \"class\"?"],
    );
}
