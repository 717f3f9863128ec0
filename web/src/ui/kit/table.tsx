// SPDX-License-Identifier: MIT
import type { ComponentChildren } from 'preact';

interface TableProps {
  /** What the table is about; spoken, and drawn when `captioned`. */
  caption: string;
  captioned?: boolean;
  /** `number` sets a column's figures right, under each other. */
  columns: readonly { name: string; number?: boolean }[];
  /** <tr>s. */
  children: ComponentChildren;
}

/** Rows and columns. On a narrow screen it scrolls in its own box, also by keyboard. */
export function Table({ caption, captioned, columns, children }: TableProps) {
  return (
    <div class="table-box" role="region" aria-label={caption} tabIndex={0}>
      <table class="table">
        <caption class={captioned ? undefined : 'hidden-text'}>{caption}</caption>
        <thead>
          <tr>
            {columns.map((c) => (
              <th key={c.name} scope="col" class={c.number ? 'table-number' : undefined}>
                {c.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
