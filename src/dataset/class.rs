//! Class numbers of annotations, and the names that they stand for.

/// Numbers of a corpus and their names, by rising number.
pub(super) type Classes = &'static [(u32, &'static str)];

/// The foreground of SketchyCOCO's retrieval annotations; 13, a bear in COCO's order, is not drawn.
///
/// The numbers are not published as a table: the 11 at hand were read off the photos, the others follow from the order.
pub(super) const SKETCHY_COCO: Classes = &[
    (1, "bicycle"),
    (2, "car"),
    (3, "motorcycle"),
    (4, "airplane"),
    (5, "traffic light"),
    (6, "fire hydrant"),
    (7, "cat"),
    (8, "dog"),
    (9, "horse"),
    (10, "sheep"),
    (11, "cow"),
    (12, "elephant"),
    (14, "zebra"),
    (15, "giraffe"),
];

/// COCO's 80 kinds of things.
pub(super) const COCO: Classes = &[
    (1, "person"),
    (2, "bicycle"),
    (3, "car"),
    (4, "motorcycle"),
    (5, "airplane"),
    (6, "bus"),
    (7, "train"),
    (8, "truck"),
    (9, "boat"),
    (10, "traffic light"),
    (11, "fire hydrant"),
    (13, "stop sign"),
    (14, "parking meter"),
    (15, "bench"),
    (16, "bird"),
    (17, "cat"),
    (18, "dog"),
    (19, "horse"),
    (20, "sheep"),
    (21, "cow"),
    (22, "elephant"),
    (23, "bear"),
    (24, "zebra"),
    (25, "giraffe"),
    (27, "backpack"),
    (28, "umbrella"),
    (31, "handbag"),
    (32, "tie"),
    (33, "suitcase"),
    (34, "frisbee"),
    (35, "skis"),
    (36, "snowboard"),
    (37, "sports ball"),
    (38, "kite"),
    (39, "baseball bat"),
    (40, "baseball glove"),
    (41, "skateboard"),
    (42, "surfboard"),
    (43, "tennis racket"),
    (44, "bottle"),
    (46, "wine glass"),
    (47, "cup"),
    (48, "fork"),
    (49, "knife"),
    (50, "spoon"),
    (51, "bowl"),
    (52, "banana"),
    (53, "apple"),
    (54, "sandwich"),
    (55, "orange"),
    (56, "broccoli"),
    (57, "carrot"),
    (58, "hot dog"),
    (59, "pizza"),
    (60, "donut"),
    (61, "cake"),
    (62, "chair"),
    (63, "couch"),
    (64, "potted plant"),
    (65, "bed"),
    (67, "dining table"),
    (70, "toilet"),
    (72, "tv"),
    (73, "laptop"),
    (74, "mouse"),
    (75, "remote"),
    (76, "keyboard"),
    (77, "cell phone"),
    (78, "microwave"),
    (79, "oven"),
    (80, "toaster"),
    (81, "sink"),
    (82, "refrigerator"),
    (84, "book"),
    (85, "clock"),
    (86, "vase"),
    (87, "scissors"),
    (88, "teddy bear"),
    (89, "hair drier"),
    (90, "toothbrush"),
];

/// The name of a number.
pub(super) fn name(classes: Classes, number: u32) -> Option<&'static str> {
    let at = classes.binary_search_by_key(&number, |class| class.0).ok()?;
    Some(classes[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_have_names() {
        for classes in [SKETCHY_COCO, COCO] {
            assert!(classes.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
        assert_eq!((COCO.len(), SKETCHY_COCO.len()), (80, 14));
        assert_eq!((name(COCO, 1), name(COCO, 90), name(COCO, 12)), (Some("person"), Some("toothbrush"), None));
        assert_eq!((name(SKETCHY_COCO, 14), name(SKETCHY_COCO, 13)), (Some("zebra"), None));
    }
}
