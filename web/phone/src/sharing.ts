/** Files that leave the phone. */

/** What becomes a file. */
export interface Made {
  name: string;
  bytes: Uint8Array;
}

/** Whether the phone has apps to hand files to (W3C, "Web Share API"). */
export const canShare =
  typeof navigator.canShare === 'function' &&
  navigator.canShare({ files: [new File([], 'khaosat.bin')] });

/** Saves it where the browser saves files. */
export function save(made: Made): void {
  const file = fileOf(made);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  // The browser reads the file after this task.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Hands it to another app of the person's choice. */
export async function share(made: Made): Promise<void> {
  try {
    await navigator.share({ files: [fileOf(made)] });
  } catch {
    // The person closed the list of apps: the phone keeps everything anyway.
  }
}

function fileOf({ name, bytes }: Made): File {
  return new File([bytes.slice()], name, { type: 'application/octet-stream' });
}
