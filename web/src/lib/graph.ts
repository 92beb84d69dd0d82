// A DAG as a picture, from left to right: dagre places tasks and groups, folded groups are one node.
import { graphlib, layout } from "@dagrejs/dagre";
import type { WorkflowGroup, WorkflowTask } from "../api/types.gen";

export interface GraphNode {
  kind: "task" | "group";
  name: string;
  title: string;
  note: string;
  mapped: boolean;
  /** Tasks that it stands for. */
  tasks: string[];
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface GraphFrame {
  name: string;
  title: string;
  tasks: string[];
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface GraphEdge {
  from: string;
  to: string;
  path: string;
}
export interface Graph {
  nodes: GraphNode[];
  /** Open groups, outer before inner. */
  frames: GraphFrame[];
  edges: GraphEdge[];
  width: number;
  height: number;
}

const HEIGHT = 46;
const HEAD = 22;
const LETTER = 7.4;
const [LEAST, MOST] = [140, 260];

export function titleIn(name: string, title: string, group: string): string {
  return group && title === name && name.startsWith(`${group}.`) ? name.slice(group.length + 1) : title;
}

function widthOf(title: string): number {
  return Math.round(Math.min(MOST, Math.max(LEAST, title.length * LETTER + 44)));
}

/** Smooth through dagre's points: it ends where they end. */
function curve(points: { x: number; y: number }[]): string {
  const [first, ...rest] = points.map((point) => ({ x: Math.round(point.x), y: Math.round(point.y) }));
  if (!first) return "";
  let path = `M${first.x},${first.y}`;
  let at = first;
  for (const to of rest) {
    const middle = Math.round((at.x + to.x) / 2);
    path += ` C${middle},${at.y} ${middle},${to.y} ${to.x},${to.y}`;
    at = to;
  }
  return path;
}

export function graphOf(tasks: WorkflowTask[], groups: WorkflowGroup[], folded: ReadonlySet<string>): Graph {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const chain = (name: string): WorkflowGroup[] => {
    const group = byName.get(name);
    return group ? [...chain(group.parent), group] : [];
  };
  const graph = new graphlib.Graph({ compound: true });
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 46, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));

  const nodes = new Map<string, GraphNode>();
  const frames = new Map<string, GraphFrame>();
  const shownAs = new Map<string, string>();
  const none = { x: 0, y: 0, width: 0, height: 0 };
  for (const task of tasks) {
    const above = chain(task.group);
    const closed = above.findIndex((group) => folded.has(group.name));
    const open = closed < 0 ? above : above.slice(0, closed);
    open.forEach((group, depth) => {
      const id = `g:${group.name}`;
      const frame = frames.get(id);
      frame?.tasks.push(task.name);
      if (frame) return;
      frames.set(id, { name: group.name, title: titleIn(group.name, group.title, group.parent), tasks: [task.name], ...none });
      graph.setNode(id, {});
      if (depth > 0) graph.setParent(id, `g:${open[depth - 1]!.name}`);
    });
    const group = closed < 0 ? undefined : above[closed]!;
    const id = group ? `f:${group.name}` : `t:${task.name}`;
    shownAs.set(task.name, id);
    const there = nodes.get(id);
    there?.tasks.push(task.name);
    if (there) continue;
    const parent = open.at(-1);
    const name = group?.name ?? task.name;
    const title = titleIn(name, group?.title ?? task.title, parent?.name ?? "");
    const width = widthOf(title);
    nodes.set(id, {
      kind: group ? "group" : "task", name, title, note: group ? "" : task.operator, mapped: group?.mapped ?? task.mapped,
      tasks: [task.name], ...none, width, height: HEIGHT,
    });
    graph.setNode(id, { width, height: HEIGHT });
    if (parent) graph.setParent(id, `g:${parent.name}`);
  }
  for (const task of tasks) {
    for (const after of task.downstream) {
      const [from, to] = [shownAs.get(task.name), shownAs.get(after)];
      if (from && to && from !== to) graph.setEdge(from, to);
    }
  }
  layout(graph);

  const corner = (id: string) => {
    const { x, y, width, height } = graph.node(id) as { x: number; y: number; width: number; height: number };
    return { x: Math.round(x - width / 2), y: Math.round(y - height / 2), width: Math.round(width), height: Math.round(height) };
  };
  for (const [id, node] of nodes) Object.assign(node, corner(id));
  for (const [id, frame] of frames) {
    const box = corner(id);
    Object.assign(frame, { ...box, y: box.y - HEAD / 2, height: box.height + HEAD / 2 });
  }
  const edges = graph.edges().map(({ v, w }) => ({
    from: v.slice(2), to: w.slice(2), path: curve((graph.edge(v, w) as { points: { x: number; y: number }[] }).points),
  }));
  const boxes = [...nodes.values(), ...frames.values()];
  return {
    nodes: [...nodes.values()], edges,
    frames: [...frames.values()].toSorted((a, b) => b.width * b.height - a.width * a.height),
    width: Math.max(0, ...boxes.map((box) => box.x + box.width)) + 12,
    height: Math.max(0, ...boxes.map((box) => box.y + box.height)) + 12,
  };
}
