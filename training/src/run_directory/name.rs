//! Names of folders.

use std::time::{Duration, SystemTime};

/// Longest slug, in letters.
const LONGEST: usize = 40;

/// `20261125-094501_my-run`, in UTC.
pub(super) fn folder_name(now: SystemTime, name: &str) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (day, second) = (since / 86_400, since % 86_400);
    let (year, month, day) = date(day);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}_{}", slug(name))
}

/// Year, month and day of a day since 1970-01-01: Howard Hinnant's `civil_from_days`, for days that are not negative.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Small letters, digits and single hyphens: a name that no file system and no shell minds.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() == LONGEST {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "run".to_owned() } else { slug.to_owned() }
}

/// `step_000500`.
pub(super) fn checkpoint(step: u64) -> String {
    format!("step_{step:06}")
}

/// The step of a name that [`checkpoint`] made.
pub(super) fn checkpoint_step(name: &str) -> Option<u64> {
    let step = name.strip_prefix("step_")?.parse().ok()?;
    (checkpoint(step) == name).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_sort_by_time_and_are_harmless() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(folder_name(at(0), "Paper: ViT-B/32!"), "19700101-000000_paper-vit-b-32");
        assert_eq!(folder_name(at(1_795_599_901), "../../etc"), "20261125-094501_etc");
        assert_eq!(folder_name(at(951_782_400), "日本"), "20000229-000000_run");
        assert_eq!(folder_name(at(1_735_689_599), &"x".repeat(99)).len(), "20241231-235959_".len() + LONGEST);
    }

    #[test]
    fn checkpoints_are_named_by_their_step() {
        for step in [0, 7, 500, 999_999, 1_000_000, u64::MAX] {
            assert_eq!(checkpoint_step(&checkpoint(step)), Some(step));
        }
        assert_eq!(checkpoint(500), "step_000500");
        for other in ["step_500", "step_", "step_x00500", ".clove-step_000500", "step_+00500"] {
            assert_eq!(checkpoint_step(other), None, "{other}");
        }
    }
}
