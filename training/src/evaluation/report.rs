//! Scores as tables for people and as JSON for notebooks.

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::{
    calibration::{Calibration, TARGET_PRECISION},
    causes::{Loss, Losses, LostBy},
    median_ms,
    sroie::{Prediction, Scores, TextSource},
};
use crate::metrics::{Tally, fields::KeyField};

/// Heads the columns of [`table`].
const HEADER: [&str; 4] = ["", "precision", "recall", "F1"];

/// Names to the left, figures to the right.
fn figures<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header).add_rows(rows);
    table.column_iter_mut().skip(1).for_each(|column| {
        column.set_cell_alignment(CellAlignment::Right);
    });
    table
}

/// Rows of a name and precision, recall and F1 in percent.
pub fn table(rows: &[(String, Tally)]) -> Table {
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    figures(HEADER, rows.iter().map(|(name, t)| [name.clone(), percent(t.precision()), percent(t.recall()), percent(t.f1())]))
}

/// Tasks 1 and 2.
pub fn reading_rows(scores: &Scores) -> [(String, Tally); 4] {
    [
        ("task 1, lines, DetEval".into(), scores.deteval),
        ("task 1, lines, IoU 0.5".into(), scores.iou),
        ("task 2, words, exact".into(), scores.words_exact),
        ("task 2, words, letters and digits".into(), scores.words),
    ]
}

/// The rows of the tasks that have truth, and of those that have none a remark.
pub fn sroie_rows(scores: &Scores, text: TextSource) -> (Vec<(String, Tally)>, Vec<&'static str>) {
    let (mut rows, mut remarks) = (Vec::new(), Vec::new());
    match (scores.deteval.truths, text) {
        (0, _) => remarks.push("tasks 1 and 2 skipped: the data set has no boxes and transcripts"),
        (_, TextSource::Given) => remarks.push("tasks 1 and 2 skipped: the text was given"),
        _ => rows.extend(reading_rows(scores)),
    }
    if scores.fields.raw_total().truths == 0 {
        remarks.push("task 3 skipped: the data set has no keys");
        return (rows, remarks);
    }
    let by_field = KeyField::ALL.iter().flat_map(|&field| {
        let name = field.name();
        [(format!("  {name}, raw"), scores.fields.raw(field)), (format!("  {name}, normalised"), scores.fields.normalised(field))]
    });
    rows.push(("task 3, fields, raw".into(), scores.fields.raw_total()));
    rows.push(("task 3, fields, normalised".into(), scores.fields.normalised_total()));
    rows.extend(by_field);
    rows.push(("by rules alone, raw".into(), scores.fields_by_rules.raw_total()));
    rows.push(("by rules alone, normalised".into(), scores.fields_by_rules.normalised_total()));
    (rows, remarks)
}

/// Median milliseconds a receipt: all, and of each stage that ran.
pub fn times(predictions: &[Prediction]) -> Vec<(&'static str, f64)> {
    let stages = predictions.first().map(|p| p.timings.stages().map(|(name, _)| name)).into_iter().flatten().enumerate();
    let stages = stages.map(|(i, name)| (name, median_ms(predictions.iter().map(|p| p.timings.stages()[i].1))));
    let all = ("receipt", median_ms(predictions.iter().map(|p| p.wall)));
    std::iter::once(all).chain(stages.filter(|(_, ms)| *ms > 0.0)).collect()
}

/// Lines and words lost by each cause.
pub fn losses_table(losses: &Losses) -> Table {
    let row = |(cause, loss): (&LostBy, &Loss)| [format!("{cause:?}"), loss.lines.to_string(), loss.words.to_string()];
    figures(["cause", "lines", "words"], losses.iter().map(row))
}

/// What confidences are worth, in a sentence.
pub fn calibration(calibration: &Calibration) -> String {
    let (share, confidence) = calibration.coverage(TARGET_PRECISION);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let end = if share > 0.0 { format!("those surer than {}", percent(f64::from(confidence))) } else { "none".into() };
    format!(
        "confidences are off by {} in the mean; of {} answers {} could go by themselves at {} right: {end}",
        percent(calibration.error()),
        calibration.answers(),
        percent(share),
        percent(TARGET_PRECISION),
    )
}

pub fn calibration_json(calibration: &Calibration) -> Value {
    let (share, confidence) = calibration.coverage(TARGET_PRECISION);
    let bins = calibration.bins().map(|bin| json!({"answers": bin.answers, "confidence": bin.confidence, "right": bin.right}));
    json!({"error": calibration.error(), "coverage": share, "threshold": confidence, "precision": TARGET_PRECISION, "bins": bins})
}

fn tally_json(tally: Tally) -> Value {
    json!({"precision": tally.precision(), "recall": tally.recall(), "f1": tally.f1(), "predictions": tally.predictions, "truths": tally.truths})
}

fn places_json(scores: &Scores) -> Value {
    json!({"deteval": tally_json(scores.deteval), "iou": tally_json(scores.iou)})
}

fn words_json(scores: &Scores) -> Value {
    json!({"exact": tally_json(scores.words_exact), "letters_and_digits": tally_json(scores.words)})
}

/// Tasks 1 and 2 of another program, named as in [`sroie_json`].
pub fn predictions_json(scores: &Scores) -> Value {
    json!({"receipts": scores.receipts, "task1": places_json(scores), "task2": words_json(scores)})
}

/// Everything that the table says; tasks without truth are `null`.
pub fn sroie_json(scores: &Scores, text: TextSource, predictions: &[Prediction], with_errors: bool) -> Value {
    let boxes = scores.deteval.truths > 0 && text == TextSource::Own;
    let has_keys = scores.fields.raw_total().truths > 0;
    let when = |condition: bool, value: Value| if condition { value } else { Value::Null };
    let by_field = |of: &dyn Fn(KeyField) -> Tally| -> Value {
        KeyField::ALL.iter().map(|&field| (field.name().to_owned(), tally_json(of(field)))).collect::<serde_json::Map<_, _>>().into()
    };
    let times: serde_json::Map<_, _> = times(predictions).into_iter().map(|(name, ms)| (name.to_owned(), json!(ms))).collect();
    let mut words = words_json(scores);
    words["cer_of_found_lines"] = json!(scores.characters.rate());
    json!({
        "receipts": scores.receipts,
        "text": text,
        "task1": when(boxes, places_json(scores)),
        "task2": when(boxes, words),
        "task3": when(has_keys, json!({
            "raw": tally_json(scores.fields.raw_total()), "normalised": tally_json(scores.fields.normalised_total()),
            "raw_by_field": by_field(&|f| scores.fields.raw(f)), "normalised_by_field": by_field(&|f| scores.fields.normalised(f)),
        })),
        "median_ms": times,
        "errors": when(with_errors, json!(scores.errors)),
    })
}

/// Rows as JSON, by name.
pub fn rows_json(rows: &[(String, Tally)]) -> Value {
    rows.iter().map(|(name, tally)| (name.clone(), tally_json(*tally))).collect::<serde_json::Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use datasets::sroie::Keys;

    fn scores(keys: bool, boxes: bool) -> Scores {
        let mut scores = Scores::default();
        if boxes {
            scores.deteval = Tally::of_pairs(1, 2, 4);
        }
        if keys {
            scores.fields.add(KeyField::Total, "9.00", "RM9.00");
        }
        scores
    }

    #[test]
    fn tasks_without_truth_are_skipped_and_said_to_be() {
        let cases = [
            (true, true, TextSource::Own, 16, 0),
            (false, true, TextSource::Own, 4, 1),
            (true, false, TextSource::Own, 12, 1),
            (true, true, TextSource::Given, 12, 1),
            (false, false, TextSource::Own, 0, 2),
        ];
        for (keys, boxes, text, row_count, remark_count) in cases {
            let (rows, remarks) = sroie_rows(&scores(keys, boxes), text);
            assert_eq!((rows.len(), remarks.len()), (row_count, remark_count), "{keys} {boxes} {text:?}");
            let json = sroie_json(&scores(keys, boxes), text, &[], false);
            assert_eq!((json["task3"].is_null(), json["task1"].is_null()), (!keys, !boxes || text == TextSource::Given));
        }
    }

    #[test]
    fn a_table() {
        insta::assert_snapshot!(table(&[("lines".into(), Tally::of_pairs(1, 2, 4)), ("words".into(), Tally::default())]).to_string());
    }

    #[test]
    fn times_name_the_stages_that_ran() {
        let wall = std::time::Duration::from_millis(40);
        let prediction = Prediction { wall, keys: Keys::default(), ..Prediction::default() };
        assert_eq!(times(&[prediction]), [("receipt", 40.0)]);
    }
}
