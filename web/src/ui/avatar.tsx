// SPDX-License-Identifier: MIT
// The picture that somebody shows of themselves; decoration beside their name.
import { useEffect, useState } from 'preact/hooks';
import { Initials } from './poster';

/** The server keeps two sizes; the smaller one is enough for 32 pixels on a fine screen. */
const file = (image: string, size: number) => (size <= 32 ? image.replace(/\/256\.jpg$/, '/64.jpg') : image);

/** Without a picture, or while it cannot be had, the first letters of the name. */
export function Avatar({ id, name, image = null, size = 36 }: { id: string; name: string; image?: string | null; size?: number }) {
  const [broken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [image]);
  if (!image || broken) return <Initials id={id} name={name} size={size} />;
  return (
    <img class="avatar" src={file(image, size)} width={size} height={size} alt="" decoding="async" loading="lazy" onError={() => setBroken(true)} />
  );
}
