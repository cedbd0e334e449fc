use super::*;
use crate::benchmark::fixtures::{Data, skipped};

fn parts(benchmark: &Benchmark) -> (Vec<&str>, Vec<&str>, &[usize]) {
    let Items::Classes { classes, templates, labels } = &benchmark.items else { panic!("not classes") };
    (classes.iter().map(String::as_str).collect(), templates.iter().map(String::as_str).collect(), labels)
}

fn names(benchmark: &Benchmark) -> Vec<String> {
    benchmark.images.iter().map(ImageRef::name).collect()
}

#[test]
fn folders_are_classes_in_sorted_order() {
    let data = Data::new();
    data.image("tabby_cat/b.png").image("tabby_cat/A.JPG").image("dog/z.jpeg").text("dog/notes.txt", "x");
    data.image("images/1.png").image(".hidden/1.png").text("runs/log.txt", "x").text("README.txt", "x");
    let benchmark = read(data.path()).unwrap();
    let (classes, templates, labels) = parts(&benchmark);
    assert_eq!(classes, ["dog", "tabby cat"]);
    assert_eq!(templates, ["a photo of a {}."]);
    assert_eq!(labels, [0, 1, 1]);
    assert_eq!(names(&benchmark), ["z.jpeg", "A.JPG", "b.png"]);
    assert_eq!((benchmark.metric.clone(), benchmark.n_in_file), (Metric::TopK, 3));
    assert_eq!(benchmark.protocol, "top-1 and top-5 over 2 classes, prompt \"a photo of a {}.\"");
}

#[test]
fn numbered_folders_sort_as_numbers_and_names_may_repeat() {
    let data = Data::new();
    data.image("0/a.png").image("2/b.png").image("10/c.png");
    data.text("classes.txt", "\u{feff}missile\r\n crane \nmissile\n\n").text("templates.txt", "a {}.\nthe {c}.\n");
    let benchmark = read(data.path()).unwrap();
    let (classes, templates, labels) = parts(&benchmark);
    assert_eq!(classes, ["missile", "crane", "missile"]);
    assert_eq!(templates, ["a {}.", "the {}."]);
    assert_eq!(labels, [0, 1, 2]);
    assert_eq!(names(&benchmark), ["a.png", "b.png", "c.png"]);
}

#[test]
fn class_folders_may_lie_one_level_down() {
    let data = Data::new();
    data.image("pets/cat/1.png").image("pets/dog/1.png").text("classes.txt", "Cat\nDog\n");
    data.image("sugarcrepe/1.png").text("sugarcrepe/add_obj.json", "{}");
    let benchmark = read(data.path()).unwrap();
    assert_eq!(parts(&benchmark).0, ["Cat", "Dog"]);
    assert_eq!(benchmark.len(), 2);
}

#[test]
fn several_sets_are_ambiguous_unless_one_is_the_evaluation_split() {
    let data = Data::new();
    for set in ["cars", "pets"] {
        data.image(&format!("{set}/x/1.png")).image(&format!("{set}/y/1.png"));
    }
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("cars, pets"), "{error}");
    data.image("val/v/1.png").image("val/w/1.png");
    assert_eq!(parts(&read(data.path()).unwrap()).0, ["v", "w"]);
}

#[test]
fn an_empty_class_folder_competes_without_images() {
    let data = Data::new();
    data.image("a/1.png").image("c/1.png").folder("b");
    let benchmark = read(data.path()).unwrap();
    assert_eq!(parts(&benchmark).0, ["a", "b", "c"]);
    assert_eq!(parts(&benchmark).2, [0, 2]);
    assert!(benchmark.protocol.ends_with("; 1 of the classes without images"), "{}", benchmark.protocol);
    assert_eq!((benchmark.n_in_file, benchmark.skipped.len()), (2, 0));
}

#[test]
fn wrong_numbers_of_names_and_prompts_without_a_place_are_errors() {
    let data = Data::new();
    data.image("a/1.png").image("b/1.png").text("classes.txt", "one\ntwo\nthree\n");
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("3 class names for 2 class folders"), "{error}");
    data.text("classes.txt", "one\ntwo").text("templates.txt", "a {}.\na photo\n");
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("needs a `{}`") && error.ends_with("a photo"), "{error}");
    data.text("templates.txt", "\n");
    assert!(matches!(read(data.path()), Err(ReadError::Template { .. })));
}

#[test]
fn nothing_to_read_is_an_error() {
    let data = Data::new();
    assert!(!exists(data.path()));
    data.folder("a").folder("b").image("images/1.png");
    assert!(matches!(read(data.path()), Err(ReadError::NotFound { .. })));
    assert!(matches!(read(&data.path().join("nowhere")), Err(ReadError::NotFound { .. })));
}

#[cfg(unix)]
#[test]
fn links_to_nothing_are_skipped() {
    let data = Data::new();
    data.image("a/1.png").image("b/1.png");
    std::os::unix::fs::symlink("gone.png", data.path().join("b/2.png")).unwrap();
    let benchmark = read(data.path()).unwrap();
    assert_eq!(skipped(&benchmark), [("b/2.png", "it is not a file that can be read")]);
    assert_eq!((benchmark.len(), benchmark.n_in_file), (2, 3));
}
