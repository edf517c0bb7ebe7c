//! The picture as SVG. Boxes and arrows are placed by dagre, which Mermaid uses too; what they look like is said once, in a
//! style that follows the reader's light or dark scheme.

#![allow(clippy::cast_precision_loss, reason = "numbers of letters and lines")]

use super::Picture;
use dagre::graph::{Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, Point, RankDir, layout};
use std::fmt::Write as _;
use vigil_diff::report::escaped;

/// The width of a letter of the boxes and of the arrows; both are of one width each, so that texts fit wherever they are drawn.
const LETTER: f64 = 6.7;
const SMALL_LETTER: f64 = 5.5;
/// The height of a line in a box.
const LINE: f64 = 15.0;
/// The longest line of a name.
const LONGEST: usize = 26;

const STYLE: &str = "\
.graph{--ink:#1b2430;--faint:#5a6675;--line:#7b8794;--box:#fff;--area:#f2f5f8;--entry:#a33b00;\
font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}\
@media (prefers-color-scheme:dark){.graph{--ink:#e6ebf0;--faint:#a7b2be;--line:#8592a0;--box:#1c242d;--area:#141a21;--entry:#ffb088}}\
.graph text{fill:var(--ink);text-anchor:middle}\
.graph rect.area{fill:var(--area);stroke:var(--line);stroke-dasharray:2 3}\
.graph text.area{fill:var(--faint);text-anchor:start;font-weight:600}\
.graph .box rect{fill:var(--box);stroke:var(--line)}\
.graph .kind,.graph .arrow text{fill:var(--faint);font-size:9px}\
.graph .arrow path{fill:none;stroke:var(--line)}\
.graph .arrow text{paint-order:stroke;stroke:var(--area);stroke-width:4px;stroke-linejoin:round}\
.graph .scrapes path{stroke-dasharray:4 3}\
.graph .enters path{stroke:var(--entry);stroke-width:1.5}.graph .enters text{fill:var(--entry)}\
.graph marker path{fill:var(--line)}";

/// A box: its name in lines, and what it is.
struct Node {
    id: String,
    lines: Vec<String>,
    kind: String,
}

impl Node {
    fn width(&self) -> f64 {
        let longest = self.lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
        longest.max(self.kind.chars().count()).max(8) as f64 * LETTER + 16.0
    }

    fn height(&self) -> f64 {
        let lines = self.lines.len() + usize::from(!self.kind.is_empty());
        lines as f64 * LINE + 12.0
    }
}

/// A namespace, and the boxes in it.
struct Area {
    id: String,
    name: String,
    nodes: Vec<Node>,
}

type Layout = Graph<NodeLabel, EdgeLabel>;

impl Picture {
    /// The picture as an SVG that brings its style.
    pub(crate) fn svg(&self) -> String {
        let alone: Vec<Node> = self
            .alone()
            .map(|(id, name)| Node { id: id.clone(), lines: vec![name.to_owned()], kind: String::new() })
            .collect();
        let areas: Vec<Area> = self
            .namespaces()
            .into_iter()
            .enumerate()
            .map(|(number, (namespace, pods))| {
                let node = |(id, name, kind): (&String, String, &str)| Node {
                    id: id.clone(),
                    lines: broken(&name),
                    kind: kind.to_owned(),
                };
                let nodes = pods.into_iter().map(node).collect();
                Area { id: format!("s{number}"), name: namespace.to_owned(), nodes }
            })
            .collect();
        let graph = self.placed(&alone, &areas);
        self.drawn(&graph, &alone, &areas)
    }

    fn placed(&self, alone: &[Node], areas: &[Area]) -> Layout {
        let mut graph: Layout = Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: true });
        let mut add = |node: &Node, area: Option<&str>| {
            let label = NodeLabel { width: node.width(), height: node.height(), ..NodeLabel::default() };
            graph.set_node(node.id.as_str(), Some(label));
            if area.is_some() {
                graph.set_parent(&node.id, area);
            }
        };
        for node in alone {
            add(node, None);
        }
        for area in areas {
            for node in &area.nodes {
                add(node, Some(&area.id));
            }
        }
        for (number, arrow) in self.arrows.iter().enumerate() {
            let width = Self::label(arrow).chars().count() as f64 * SMALL_LETTER + 8.0;
            let label = EdgeLabel { width, height: 12.0, labelpos: LabelPos::Center, ..EdgeLabel::default() };
            let (from, to) = (&self.ends[&arrow.from], &self.ends[&arrow.to]);
            graph.set_edge(from.as_str(), to.as_str(), Some(label), Some(&number.to_string()));
        }
        let options = LayoutOptions {
            rankdir: RankDir::LR,
            nodesep: 22.0,
            edgesep: 8.0,
            ranksep: 28.0,
            marginx: 12.0,
            marginy: 24.0,
            ..LayoutOptions::default()
        };
        layout(&mut graph, Some(options));
        graph
    }

    fn drawn(&self, graph: &Layout, alone: &[Node], areas: &[Area]) -> String {
        let mut body = String::new();
        let mut size = (0.0_f64, 0.0_f64);
        // Writing to a String cannot fail.
        let mut names = String::new();
        for area in areas {
            let Some((x, y, width, height)) = placed(graph, &area.id, &mut size) else { continue };
            let _ = writeln!(
                body,
                "<rect class=\"area\" x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"6\"/>"
            );
            let (x, y, name) = (x + 4.0, y - 4.0, escaped(&area.name));
            let _ = writeln!(names, "<text class=\"area\" x=\"{x:.0}\" y=\"{y:.0}\">{name}</text>");
        }
        body.push_str(&names);
        for (number, arrow) in self.arrows.iter().enumerate() {
            let (from, to) = (&self.ends[&arrow.from], &self.ends[&arrow.to]);
            let Some(edge) = graph.edge(from, to, Some(&number.to_string())) else { continue };
            edge.points.iter().for_each(|point| grown(&mut size, point.x, point.y));
            let at = Point::new(edge.x.unwrap_or_default(), edge.y.unwrap_or_default());
            let Point { x, y } = on_curve(&edge.points, &at);
            let _ = writeln!(
                body,
                "<g class=\"arrow {}\"><path d=\"{}\" marker-end=\"url(#head)\"/><text x=\"{x:.0}\" y=\"{:.0}\">{}</text></g>",
                arrow.why.verb(),
                path(&edge.points),
                y + 3.0,
                escaped(&Self::label(arrow))
            );
        }
        for node in alone.iter().chain(areas.iter().flat_map(|area| &area.nodes)) {
            if let Some(place) = placed(graph, &node.id, &mut size) {
                draw(&mut body, node, place);
            }
        }
        let (width, height) = (size.0 + 12.0, size.1 + 12.0);
        format!(
            "<svg class=\"graph\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"Who connects to whom\">\n<style>{STYLE}</style>\n\
             <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n{body}</svg>\n"
        )
    }
}

/// The left upper corner, width and height of a box; the picture grows to hold it.
fn placed(graph: &Layout, id: &str, size: &mut (f64, f64)) -> Option<(f64, f64, f64, f64)> {
    let node = graph.node(id)?;
    let (x, y) = (node.x? - node.width / 2.0, node.y? - node.height / 2.0);
    grown(size, x + node.width, y + node.height);
    Some((x, y, node.width, node.height))
}

fn grown(size: &mut (f64, f64), x: f64, y: f64) {
    *size = (size.0.max(x), size.1.max(y));
}

fn draw(body: &mut String, node: &Node, (x, y, width, height): (f64, f64, f64, f64)) {
    let round = if node.kind.is_empty() { height / 2.0 } else { 4.0 };
    let _ = write!(
        body,
        "<g class=\"box\"><rect x=\"{x:.0}\" y=\"{y:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" rx=\"{round:.0}\"/>"
    );
    let middle = x + width / 2.0;
    let lines = node
        .lines
        .iter()
        .map(|line| ("", line))
        .chain((!node.kind.is_empty()).then_some((" class=\"kind\"", &node.kind)));
    for (number, (class, line)) in lines.enumerate() {
        let base = y + 6.0 + (number as f64 + 0.75) * LINE;
        let _ = write!(body, "<text{class} x=\"{middle:.0}\" y=\"{base:.0}\">{}</text>", escaped(line));
    }
    body.push_str("</g>\n");
}

/// A curve from the first of some points to the last, which the others draw to them: from middle to middle of its parts.
fn path(points: &[Point]) -> String {
    let Some((first, last)) = points.first().zip(points.last()) else { return String::new() };
    let mut path = format!("M{:.0} {:.0}", first.x, first.y);
    for pair in points.windows(2).skip(1) {
        let [by, next] = pair else { continue };
        let to = middle(by, next);
        let _ = write!(path, "Q{:.0} {:.0} {:.0} {:.0}", by.x, by.y, to.x, to.y);
    }
    let _ = write!(path, "L{:.0} {:.0}", last.x, last.y);
    path
}

/// Where the curve is nearest to the one of its points that a name has room at.
fn on_curve(points: &[Point], at: &Point) -> Point {
    let inner = points.windows(3).enumerate().find(|(_, three)| three[1] == *at);
    let Some((number, three)) = inner else { return at.clone() };
    let start = if number == 0 { three[0].clone() } else { middle(&three[0], at) };
    middle(&middle(&start, at), &middle(at, &middle(at, &three[2])))
}

fn middle(a: &Point, b: &Point) -> Point {
    Point::new(f64::midpoint(a.x, b.x), f64::midpoint(a.y, b.y))
}

/// A name in lines that are not too long, broken behind hyphens and dots where there are any.
fn broken(name: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in name.split_inclusive(['-', '.']) {
        for c in part.chars().enumerate().map(|(number, c)| (number == 0, c)) {
            let line = lines.last().map_or(0, |line| line.chars().count());
            let needed = if c.0 { part.chars().count().min(LONGEST) } else { 1 };
            if line > 0 && line + needed > LONGEST {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                line.push(c.1);
            }
        }
    }
    lines
}
