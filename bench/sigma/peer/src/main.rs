//! Evaluates Sigma rules on events with rsigma and prints how many rules were
//! loaded, how many matches they had, and the CPU time of an event:
//!
//!     peer RULES.yml PIPELINE.yml EVENTS.jsonl
use std::{env, fs};

use rsigma_eval::{parse_pipeline, Engine, JsonEvent};
use rsigma_parser::parse_sigma_yaml;

/// CPU time of the process so far, in nanoseconds (Linux).
fn cpu() -> u64 {
    fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|s| s.split_whitespace().next().and_then(|n| n.parse().ok()))
        .unwrap_or(0)
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let rules = fs::read_to_string(&args[1]).expect("rules");
    let pipeline = fs::read_to_string(&args[2]).expect("pipeline");
    let events = fs::read(&args[3]).expect("events");
    let collection = parse_sigma_yaml(&rules).expect("the rules parse");
    let mut engine = Engine::new_with_pipeline(parse_pipeline(&pipeline).expect("the pipeline parses"));
    engine.add_collection(&collection).expect("the rules compile");
    let (mut n, mut matches) = (0u64, 0usize);
    let start = cpu();
    for line in events.split(|b| *b == b'\n') {
        if line.is_empty() {
            continue;
        }
        let value: serde_json::Value = serde_json::from_slice(line).expect("an event");
        matches += engine.evaluate(&JsonEvent::borrow(&value)).len();
        n += 1;
    }
    let used = cpu() - start;
    println!("{} {} {:.3}", engine.rule_count(), matches, used as f64 / n as f64 / 1e3);
}
