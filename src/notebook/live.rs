#![allow(clippy::print_stdout)] // what a cell prints is what it shows

use crate::watch::Watch;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From one line of progress to the next.
const PAUSE: Duration = Duration::from_secs(5);

/// Progress as whole lines below a cell, with the time to go: a notebook shows no bar that moves.
///
/// A task that takes less than five seconds prints nothing.
#[derive(Debug, Default)]
pub struct Live {
    task: Mutex<Option<LiveTask>>,
}

#[derive(Debug)]
struct LiveTask {
    name: String,
    /// When it began, and with how much done: a resumed training begins in the middle.
    began: (Instant, usize),
    said: Instant,
}

impl Watch for Live {
    fn advance(&self, name: &str, done: usize, total: usize) {
        let mut slot = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let task = match slot.as_mut() {
            Some(task) if task.name == name && done >= task.began.1 => task,
            _ => slot.insert(LiveTask { name: name.into(), began: (now, done), said: now }),
        };
        if now - task.said >= PAUSE && done < total {
            task.said = now;
            println!("{}", line(name, done, total, task.began.1, now - task.began.0));
        }
        if done >= total {
            *slot = None;
        }
    }

    fn note(&self, line: &str) {
        println!("{line}");
    }

    fn is_stopped(&self) -> bool {
        false // an interrupted cell is killed; a training goes on from its last whole epoch
    }
}

fn line(name: &str, done: usize, total: usize, first: usize, passed: Duration) -> String {
    let share = 100 * done / total.max(1);
    let each = passed.as_secs_f64() / (done - first).max(1) as f64;
    format!("{name}: {done} of {total} ({share}%), {:.0} s to go", each * (total - done) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_estimates_time_from_the_work_since_the_start() {
        assert_eq!(line("steps", 30, 90, 10, Duration::from_secs(10)), "steps: 30 of 90 (33%), 30 s to go");
        assert_eq!(line("steps", 1, 1, 1, Duration::ZERO), "steps: 1 of 1 (100%), 0 s to go");
    }

    #[test]
    fn a_task_ends_and_the_next_begins() {
        let live = Live::default();
        live.advance("reading", 3, 9);
        live.advance("reading", 4, 9);
        assert_eq!(live.task.lock().unwrap().as_ref().unwrap().began.1, 3);
        live.advance("steps", 7, 9);
        assert_eq!(live.task.lock().unwrap().as_ref().unwrap().name, "steps");
        live.advance("steps", 9, 9);
        assert!(live.task.lock().unwrap().is_none() && !live.is_stopped());
    }
}
