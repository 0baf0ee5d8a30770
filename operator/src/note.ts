/** A Kubernetes Event to be recorded beside a status: what people read in `kubectl describe`. */
export interface Note {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}
