/** The pages of the reference: what is in each file of docs/reference. */
export declare function referencePages(): Promise<Record<string, string>>
