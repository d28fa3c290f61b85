use engine::localise::{Localiser, Settings};
use engine::recognise::Recogniser;
use std::path::Path;
use std::time::Instant;
use training::metrics::{localisation, recognition};
fn main() {
    let n: usize = std::env::args().nth(1).map_or(20, |a| a.parse().unwrap());
    let loc = std::env::args().nth(2).unwrap_or("engine/models/localise.safetensors".into());
    let rec = std::env::args().nth(3).unwrap_or("engine/models/recognise.safetensors".into());
    let receipts = datasets::sroie::read(Path::new("/work/shared/data/sroie/train")).unwrap();
    let validation = datasets::splits::sroie_validation();
    let some: Vec<_> = receipts.iter().filter(|r| !validation.contains(r.id.as_str())).step_by(25).take(n).collect();
    let images: Vec<_> = some.iter().map(|r| image::open(&r.image).unwrap().to_luma8()).collect();
    let recogniser = Recogniser::from_safetensors(&std::fs::read(rec).unwrap()).unwrap();
    let weights = std::fs::read(loc).unwrap();
    let mut t = Instant::now();
    let mut lines = 0;
    let mut given = training::metrics::Tally::default();
    let mut givenx = training::metrics::Tally::default();
    let mut cpu = std::time::Duration::ZERO;
    for (r, image) in some.iter().zip(&images) {
        let quads: Vec<_> = r.lines.iter().map(|l| l.quad).collect();
        t = Instant::now();
        let read = recogniser.read(image, &quads).unwrap();
        cpu += t.elapsed();
        lines += quads.len();
        given += recognition::bag_of_words(
            r.lines.iter().map(|l| l.text.as_str()),
            read.iter().map(|l| l.text.as_str()),
            recognition::Form::LettersAndDigits,
        );
        givenx += recognition::bag_of_words(
            r.lines.iter().map(|l| l.text.as_str()),
            read.iter().map(|l| l.text.as_str()),
            recognition::Form::Exact,
        );
    }
    println!(
        "given boxes: {lines} lines, {:.2} ms a line; words F1 {:?} exact {:?}",
        cpu.as_secs_f64() * 1e3 / lines as f64,
        given.f1(),
        givenx.f1()
    );
    let sides: Vec<u32> = std::env::var("SIDES").unwrap_or("960".into()).split(',').map(|s| s.parse().unwrap()).collect();
    let unclips: Vec<f64> = std::env::var("UNCLIPS").unwrap_or("1.5".into()).split(',').map(|s| s.parse().unwrap()).collect();
    let scores: Vec<f32> = std::env::var("SCORES").unwrap_or("0.6".into()).split(',').map(|s| s.parse().unwrap()).collect();
    let probs: Vec<f32> = std::env::var("PROBS").unwrap_or("0.3".into()).split(',').map(|s| s.parse().unwrap()).collect();
    for &longer_side_max in &sides {
        for &unclip in &unclips {
            for &score in &scores {
                for &probability in &probs {
                    let localiser = Localiser::from_safetensors(&weights).unwrap().with_settings(Settings {
                        longer_side_max,
                        unclip,
                        score,
                        probability,
                    });
                    let (mut a, mut b, mut w, mut wx) = (
                        training::metrics::Tally::default(),
                        training::metrics::Tally::default(),
                        training::metrics::Tally::default(),
                        training::metrics::Tally::default(),
                    );
                    let (mut tl, mut tr) = (0.0, 0.0);
                    for (r, image) in some.iter().zip(&images) {
                        let truth: Vec<_> = r.lines.iter().map(|l| l.quad).collect();
                        t = Instant::now();
                        let quads = localiser.quads(image).unwrap();
                        tl += t.elapsed().as_secs_f64() * 1e3;
                        a += localisation::deteval(&truth, &quads);
                        b += localisation::at_iou(&truth, &quads, 0.5);
                        if std::env::var("READ").is_ok() {
                            t = Instant::now();
                            let read = recogniser.read(image, &quads).unwrap();
                            tr += t.elapsed().as_secs_f64() * 1e3;
                            w += recognition::bag_of_words(
                                r.lines.iter().map(|l| l.text.as_str()),
                                read.iter().map(|l| l.text.as_str()),
                                recognition::Form::LettersAndDigits,
                            );
                            wx += recognition::bag_of_words(
                                r.lines.iter().map(|l| l.text.as_str()),
                                read.iter().map(|l| l.text.as_str()),
                                recognition::Form::Exact,
                            );
                        }
                    }
                    let n = some.len() as f64;
                    println!(
                        "side {longer_side_max} unclip {unclip} score {score} prob {probability}: deteval {:.2} ({:.2}/{:.2}) iou {:.2} ; words {:.2} exact {:.2}; {:.1} + {:.1} ms",
                        a.f1() * 100.,
                        a.precision() * 100.,
                        a.recall() * 100.,
                        b.f1() * 100.,
                        w.f1() * 100.,
                        wx.f1() * 100.,
                        tl / n,
                        tr / n
                    );
                }
            }
        }
    }
}
