// SPDX-License-Identifier: MIT
// Reads the pages' sources by TypeScript's own parser: which texts are said through the message table, and
// which are not.
import { API } from 'typescript/unstable/sync';
import { SyntaxKind as K } from 'typescript/unstable/ast';
import path from 'node:path';

const SAYS = new Set(['t', 'tn', 'tx', 'msg']);
// Attributes and properties that hold words for a person.
const WORDY = /^(label|title|hint|placeholder|alt|lead|text|what|action|name|detail|description|aria-(label|description|placeholder|valuetext|roledescription))$/;
// Names, formats and units, which are the same in every language.
const SAME = new Set(['bspnode', 'OBS', 'RTMP', 'RTMPS', 'WebRTC', 'WHIP', 'HLS', 'SRT', 'kHz', 'dB', 'ms', 'px', 'API', 'Webhooks', 'https://', 'POST', 'JSON', 'bsp', 'node', 'ffmpeg']);
const words = (text) => text.replace(/&\w+;|\{\w+\}/g, ' ').match(/\p{L}{2,}/gu)?.filter((w) => !SAME.has(w)) ?? [];
const sentence = (text) => /^\p{Lu}[\p{L}’'-]* \p{L}|^\p{Lu}\p{Ll}+[.…!?]$/u.test(text) && words(text).length > 0;

const isText = (n) => n.kind === K.StringLiteral || n.kind === K.NoSubstitutionTemplateLiteral;

/** The literals that an expression can become: 'a', c ? 'a' : 'b', x ?? 'a'. */
function literals(n) {
  if (isText(n)) return [n];
  if (n.kind === K.ConditionalExpression) return [...literals(n.whenTrue), ...literals(n.whenFalse)];
  if (n.kind === K.BinaryExpression && [K.QuestionQuestionToken, K.BarBarToken].includes(n.operatorToken.kind)) return [...literals(n.left), ...literals(n.right)];
  if (n.kind === K.BinaryExpression && n.operatorToken.kind === K.AmpersandAmpersandToken) return literals(n.right);
  if (n.kind === K.ParenthesizedExpression) return literals(n.expression);
  return [];
}

/** said: text -> where; bare: words outside the table; early: said while a module is loaded. */
export function scan(root) {
  const api = new API({ cwd: root });
  const said = new Map();
  const bare = [];
  const early = [];
  try {
    const { program, rootFiles } = api.updateSnapshot({ openProject: path.join(root, 'tsconfig.json') }).getProjects()[0];
    const src = path.join(root, 'src') + path.sep;
    for (const file of rootFiles.filter((f) => f.startsWith(src) && !f.startsWith(path.join(src, 'i18n')))) {
      const source = program.getSourceFile(file);
      const at = (n) => `${path.relative(root, file)}:${source.text.slice(0, n.end).split('\n').length}`;
      const counted = new Set();
      const take = (n) => {
        counted.add(n);
        if (n.text !== '' && !said.has(n.text)) said.set(n.text, at(n));
      };
      const fine = new Set();
      const blame = (n) => !counted.has(n) && !fine.has(n) && bare.push(`${at(n)}: ${n.text.trim().replace(/\s+/g, ' ')}`);
      const drop = (n) => (fine.add(n), n.forEachChild(drop));
      const walk = (n, inside) => {
        if (n.kind === K.CallExpression && n.expression.kind === K.Identifier && SAYS.has(n.expression.text)) {
          const who = n.expression.text;
          const said = who === 'tn' ? n.arguments.slice(1, 3) : n.arguments.slice(0, 1);
          for (const a of said) literals(a).forEach(take);
          if (!inside && who !== 'msg') early.push(at(n));
        }
        if ([K.ImportDeclaration, K.ExportDeclaration, K.LiteralType].includes(n.kind)) return;
        if (n.kind === K.NewExpression && /^(Type|Range|Syntax)?Error$/.test(n.expression.text)) drop(n);
        if (n.kind === K.CallExpression && n.expression.kind === K.PropertyAccessExpression && n.expression.expression.text === 'console') drop(n);
        if (n.kind === K.JsxElement && n.openingElement.tagName.text === 'code') drop(n);
        if (n.kind === K.JsxSelfClosingElement && n.tagName.text === 'Icon') drop(n);
        if (n.kind === K.JsxAttribute && ['class', 'icon', 'href', 'id'].includes(n.name.text)) drop(n);
        if (n.kind === K.TemplateExpression && /^ffmpeg /.test(n.head.text)) drop(n);
        if (n.kind === K.JsxText && words(n.text).length > 0) blame(n);
        if (n.kind === K.JsxAttribute && n.initializer) {
          const name = n.name.text ?? '';
          const value = n.initializer.kind === K.JsxExpression ? n.initializer.expression : n.initializer;
          if (WORDY.test(name) && value && !(name === 'name' && isText(value) && !/^\p{Lu}/u.test(value.text)))
            for (const l of literals(value)) if (words(l.text).length > 0) blame(l);
        }
        if (n.kind === K.JsxExpression && n.expression && n.parent?.kind !== K.JsxAttribute)
          for (const l of literals(n.expression)) if (words(l.text).length > 0) blame(l);
        if (isText(n) && sentence(n.text)) blame(n);
        if ([K.TemplateHead, K.TemplateMiddle, K.TemplateTail].includes(n.kind) && !fine.has(n) && (sentence(n.text) || / \p{Ll}{2,} | \p{Ll}{3,}\.?$/u.test(n.text)) && words(n.text).length > 0) blame(n);
        const deeper = inside || [K.ArrowFunction, K.FunctionDeclaration, K.FunctionExpression, K.MethodDeclaration].includes(n.kind);
        n.forEachChild((c) => walk(c, deeper));
      };
      walk(source, false);
    }
  } finally {
    api.close();
  }
  return { said, bare: [...new Set(bare)], early };
}
