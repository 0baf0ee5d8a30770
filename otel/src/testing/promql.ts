import { parser } from '@prometheus-io/lezer-promql';

/** What a PromQL expression names. */
export interface Selection {
  metric: string;
  /** Labels in its matchers and in the groupings around it. */
  labels: string[];
}

type Node = ReturnType<typeof parser.parse>['topNode'];

/**
 * The series that an expression selects, with the labels that it expects them to have.
 * @throws SyntaxError when it is no PromQL
 */
export function selections(expr: string): Selection[] {
  // Grafana's variables are no PromQL; as durations they stand for one.
  const text = expr.replaceAll('$__rate_interval', '5m');
  const found: Selection[] = [];
  const read = (node: Node) => text.slice(node.from, node.to);

  function visit(node: Node, grouping: string[]): void {
    if (node.type.isError) throw new SyntaxError(`no PromQL at character ${node.from}: ${text}`);
    let around = grouping;
    if (node.name === 'AggregateExpr') {
      const modifier = node.getChild('AggregateModifier');
      if (modifier !== null) around = [...grouping, ...namesIn(modifier, 'LabelName', read)];
    }
    if (node.name === 'VectorSelector') {
      const metric = node.getChild('Identifier');
      if (metric !== null)
        found.push({ metric: read(metric), labels: [...around, ...namesIn(node, 'LabelName', read)] });
    }
    for (let child = node.firstChild; child !== null; child = child.nextSibling) visit(child, around);
  }

  visit(parser.parse(text).topNode, []);
  return found;
}

function namesIn(node: Node, type: string, read: (node: Node) => string): string[] {
  const names: string[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) {
    if (child.name === type) names.push(read(child));
    else names.push(...namesIn(child, type, read));
  }
  return names;
}
