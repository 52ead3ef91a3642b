export const ENVIRONMENT: Record<string, string>
