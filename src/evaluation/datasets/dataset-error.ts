/** A dataset that can't be read as a whole, for a reason that whoever named it can mend. */
export class DatasetError extends Error {}
