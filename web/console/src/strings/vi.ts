/** The interface in Vietnamese, the language it is written in first. Parameters are ready-made figures. */
export const vi = {
  product: 'Khảo Sát',
  page: 'Theo dõi chỉ tiêu',
  skip: 'Đến phần chỉ tiêu',
  switchLanguage: 'English',
  simulated: 'Dữ liệu mô phỏng',
  simulatedNote: 'không phải kết quả khảo sát thật',
  referenceDate: (day: string) => `số liệu ngày ${day}`,
  loading: 'Đang tải số liệu…',

  trail: 'Đường dẫn đơn vị',
  childUnits: 'Đơn vị trực thuộc',
  unitNotSampled: 'không có hộ trong mẫu',
  unitsNotSampled: (count: string) => `${count} đơn vị không có hộ trong mẫu`,
  unitWithoutData: 'chưa có dữ liệu',
  responsesOf: (received: string, expected: string) => `${received} / ${expected} phiếu`,
  conflicts: (count: string) => `${count} chỗ có hai câu trả lời khác nhau`,

  summary: 'Tóm tắt',
  surveyIndicators: 'Chỉ tiêu khảo sát',
  measuredOf: (measured: string, all: string) =>
    `${measured} / ${all} chỉ tiêu có số liệu khảo sát`,
  coverage: 'Độ bao phủ',
  added: (households: string) => `Gồm ${households} hộ thêm ngoài danh sách`,
  addedUncounted: (households: string) =>
    `${households} hộ thêm ở ấp chọn mẫu: giữ lại nhưng không tính vào ước lượng`,
  responsesReceived: (received: string, expected: string) =>
    `${received} / ${expected} phiếu đã nhận`,
  responseRate: (share: string, responded: string) =>
    `Tỷ lệ trả lời ${share} (${responded} hộ trả lời)`,
  responseRateNone: 'Tỷ lệ trả lời: chưa có phiếu',
  hamlets: (responding: string, sampled: string, frame: string) =>
    `${responding} / ${sampled} ấp, khu phố trong mẫu đã có phiếu (tổng số ${frame})`,
  openConflicts: 'Hai câu trả lời khác nhau',
  conflictsUnsettled: 'chưa chọn câu đúng',
  conflictsIn: (responses: string) => `trong ${responses} phiếu`,
  conflictsNone: 'Không còn chỗ nào chưa chọn',
  freshness: 'Cập nhật',
  receivedAt: (moment: string) => `Phiếu mới nhất lúc ${moment}`,
  nothingReceived: 'Chưa nhận phiếu nào',
  devices: (heard: string, enrolled: string) => `${heard} / ${enrolled} máy liên lạc trong 24 giờ`,
  live: { connected: 'Trực tuyến', connecting: 'Đang kết nối…', disconnected: 'Mất kết nối' },
  liveNote: {
    connected: 'số liệu tự cập nhật',
    connecting: 'đang nối với máy chủ',
    disconnected: 'số liệu có thể cũ, đang thử lại',
  },

  indicators: 'Chỉ tiêu',
  group: { society: 'Xã hội số', economy: 'Kinh tế số' },
  showAs: 'Cách xem',
  chart: 'Biểu đồ',
  table: 'Bảng số',
  legend: 'Chú giải',
  point: 'Ước lượng',
  pointOf: (share: string) => `Ước lượng ${share}`,
  interval: 'Khoảng tin cậy',
  intervalAt: (level: string) => `Khoảng tin cậy ${level}`,
  intervalOf: (level: string, range: string) => `khoảng tin cậy ${level} ${range}`,
  intervalMissing: 'chưa có khoảng tin cậy',
  intervalMissingBecause: (reason: string) => `chưa có khoảng tin cậy, vì ${reason}`,
  bounds: 'Bỏ ngỏ do hai câu trả lời khác nhau',
  boundsOf: (range: string) => `hai câu trả lời khác nhau còn bỏ ngỏ ${range}`,
  target: 'Mục tiêu',
  targetOf: (target: string) => `mục tiêu ${target}`,
  targetYear: (target: string, year: string) => `${target} năm ${year}`,
  decision: { met: 'Đạt', missed: 'Chưa đạt', undecided: 'Chưa đủ căn cứ' },
  decisionColumn: 'Kết luận',
  plotAxis: 'Trục chung từ 0 đến 100 %',
  withheld: {
    title: 'Chưa công bố',
    households: (households: string, minimum: string) =>
      `chỉ có ${households} hộ trả lời, cần ít nhất ${minimum}`,
    rule: (rule: string) => `theo quy tắc công bố «${rule}»`,
  },
  notComputed: 'Chưa tính được',
  absence: {
    no_responses: 'chưa có hộ nào trả lời',
    no_denominator: 'các hộ đã trả lời không có ai hoặc gì thuộc mẫu số',
    single_psu: 'mới có phiếu của một ấp, khu phố nên chưa biết các ấp, khu phố khác nhau ra sao',
    single_household: 'mới có một hộ trả lời nên chưa biết các hộ khác nhau ra sao',
    lonely_psu: 'có tầng mẫu chỉ gồm một đơn vị nên chưa biết các đơn vị của tầng khác nhau ra sao',
    no_degrees_of_freedom:
      'số ấp, khu phố có phiếu không nhiều hơn số tầng mẫu nên chưa biết sai số chuẩn chính xác đến đâu',
    no_variation:
      'mọi hộ đã trả lời đều giống nhau nên chưa biết các hộ còn lại có thể khác đến đâu',
    nothing_to_compare: 'mẫu ngẫu nhiên đơn có phương sai bằng 0 nên không có gì để so sánh',
  },
  noSurveyData: 'Chưa có số liệu khảo sát',
  noSurveyDataNote: 'Những chỉ tiêu này lấy từ nguồn khác hoặc chưa có phiếu nào.',
  agencyNone: 'kế hoạch không giao cơ quan nào',

  indicatorColumn: 'Chỉ tiêu',
  standardError: 'Sai số chuẩn (điểm %)',
  boundsColumn: 'Khoảng bỏ ngỏ',
  householdsColumn: 'Số hộ',
  denominatorColumn: 'Mẫu số (đơn vị phân tích)',
  degreesOfFreedom: 'Bậc tự do',
  designEffect: 'Hệ số thiết kế',
  conflictsColumn: 'Chỗ khác nhau',
  leadAgency: 'Cơ quan chủ trì',
  coordinatingAgencies: 'Cơ quan phối hợp',
  remark: 'Ghi chú',
  tableCaption: (unit: string) => `Tất cả chỉ tiêu của ${unit}`,
  empty: '–',

  numerator: 'Tử số',
  denominator: 'Mẫu số',
  sourceTitle: 'Nguồn',
  sourceKind: {
    'household survey': 'khảo sát hộ gia đình',
    'official statistics': 'số liệu chính thức',
    'enterprise survey': 'khảo sát doanh nghiệp',
    'institution survey': 'khảo sát cơ sở đào tạo',
  },
  method: 'Phương pháp',
  methodRatio: 'ước lượng tỷ số có quyền số',
  methodInterval: {
    logit: (level: string) => `khoảng tin cậy ${level} trên thang logit`,
    clopper_pearson: (level: string) =>
      `khoảng tin cậy ${level} Clopper–Pearson theo số hộ hiệu quả`,
    wilson: (level: string) => `khoảng tin cậy ${level} Wilson theo số phần tử hiệu quả`,
    student_t: (level: string) => `khoảng tin cậy ${level} theo phân phối t của Student`,
    normal: (level: string) => `khoảng tin cậy ${level} theo phân phối chuẩn`,
    census: (level: string) => `điều tra toàn bộ, khoảng tin cậy ${level} trùng với ước lượng`,
  },
  methodFreedom: (count: string) => `${count} bậc tự do`,
  methodEffect: (value: string) => `hệ số thiết kế ${value}`,
  methodSample: (households: string) => `${households} hộ trả lời`,
  analysed: {
    person: (count: string) => `${count} người`,
    household: (count: string) => `${count} hộ trong mẫu số`,
    enterprise: (count: string) => `${count} doanh nghiệp`,
    institution: (count: string) => `${count} cơ sở`,
    economy: (count: string) => `${count} quan sát`,
  },
  boundsInexact: 'khoảng bỏ ngỏ là gần đúng',
  boundsMissing: 'chưa tính được khoảng bỏ ngỏ',
  comparison: 'So sánh các đơn vị trực thuộc',
  comparisonOrder: 'Xếp theo tên, không xếp hạng',
  comparisonOverlap:
    'Khoảng tin cậy của nhiều đơn vị chồng lên nhau: chênh lệch giữa các điểm có thể chỉ do chọn mẫu, không dùng để xếp hạng.',

  inDepth: 'Xem kỹ chỉ tiêu này',
  toOverview: 'Tất cả chỉ tiêu',
  modelledFigure: 'theo mô hình',
  modelSource: {
    combined: 'kết hợp với phỏng vấn của xã',
    synthetic: 'xã chưa đủ phỏng vấn, chỉ theo mô hình',
  },
  standing: 'Hiện trạng',
  change: 'Điều gì có thể làm đổi kết luận',
  moreInterviewsTitle: 'Phỏng vấn thêm',
  moreInterviews: {
    none: () =>
      'Khoảng tin cậy đã nằm hẳn một phía của mục tiêu: không cần phỏng vấn thêm để kết luận.',
    some: (households: string) =>
      `Cần thêm khoảng ${households} hộ, chọn như các hộ đã phỏng vấn: khi đó có 80 % khả năng kết luận được, nếu ước lượng hiện nay đúng.`,
    all: (households: string) =>
      `Ước lượng sát mục tiêu đến mức phải phỏng vấn cả ${households} hộ còn lại mới kết luận được.`,
    unknown: () => 'Chưa có khoảng tin cậy nên chưa biết cần phỏng vấn thêm bao nhiêu hộ.',
  },
  openTitle: 'Chỗ chưa phân định',
  openNone: 'Không có câu trả lời khác nhau hay hộ nghi trùng nào ảnh hưởng đến chỉ tiêu này.',
  openBounds: (matters: string, range: string) =>
    `${matters} chỗ có câu trả lời khác nhau hoặc hộ nghi trùng; phân định thế nào thì ước lượng cũng nằm trong khoảng ${range}.`,
  openSways: (decision: string) =>
    `Nếu giữ đúng những gì đang tính thì kết luận là «${decision}»; các chỗ chưa phân định làm kết luận chưa chắc.`,
  openUndecided: 'Riêng sai số chọn mẫu đã làm chỉ tiêu chưa kết luận được.',
  openFirm: 'Phân định thế nào thì kết luận cũng không đổi.',
  settleFirst: (count: string, all: string) =>
    `Xác nhận ${count} trong ${all} chỗ nặng nhất là đủ: các chỗ còn lại không đổi được kết luận nữa.`,
  hamletColumn: 'Ấp, khu phố',
  mattersColumn: 'Số chỗ',
  moveColumn: 'Một chỗ dịch chuyển tối đa (điểm %)',
  openOrder: 'Ấp, khu phố nên xử lý trước',
  movementsTitle: 'Phiếu đến muộn',
  movementColumn: 'Thời điểm',
  movementAgo: (days: string) => (days === '1' ? '24 giờ trước' : `${days} ngày trước`),
  movementNow: 'bây giờ',
  movementPoint: 'Ước lượng khi đó',
  movementHouseholds: 'Số hộ trả lời khi đó',
  movementDifference: 'Đến nay thay đổi (điểm %)',
  movementHidden: 'không công bố',
  awaited: (households: string, all: string) =>
    `${households} / ${all} hộ trong mẫu chưa có phiếu ở máy chủ.`,
  officialTitle: 'Số liệu chính thức',
  officialCaption: 'Số liệu chính thức theo năm và nguồn',
  officialNone: 'Chưa ghi số liệu chính thức nào của đơn vị này cho chỉ tiêu này.',
  officialNote:
    'Bộ, ngành cung cấp hằng năm cho đến khi tổ chức đo lường; không trộn với kết quả khảo sát.',
  yearColumn: 'Năm',
  valueColumn: 'Giá trị',
  againstTarget: 'So với mục tiêu',
  officialDifference: 'Khảo sát trừ số liệu này (điểm %)',
  part: (sector: string) => `ngành: ${sector}`,
  modelTitle: 'Ước lượng theo mô hình',
  model: (interviewed: string, all: string) =>
    `Mô hình cấp xã của Fay và Herriot, từ phỏng vấn của ${interviewed} trong ${all} xã và những gì dàn mẫu biết về từng xã`,
  modelCovariates: 'biến bổ trợ',
  covariate: {
    urban_share: 'tỷ lệ hộ ở khu phố',
    households: 'số hộ',
  },
  modelBetween: (points: string) =>
    `ngoài các biến ấy, các xã khác nhau với độ lệch chuẩn ${points} điểm %`,
  modelExplained: (share: string) => `các biến giải thích ${share} mức khác nhau giữa các xã`,
  modelNote:
    'Số theo mô hình không phải số đo được, không dùng để kết luận về mục tiêu; tổng các xã khớp với ước lượng toàn tỉnh.',
  modelWeight: (share: string) => `phỏng vấn của xã được tính ${share}, mô hình phần còn lại`,
  notModelled: {
    no_estimate: 'Chưa có ước lượng toàn tỉnh nên chưa lập được mô hình cấp xã.',
    too_few_communes: 'Quá ít xã có đủ phỏng vấn nên chưa lập được mô hình cấp xã.',
  },
  definition: 'Định nghĩa và phương pháp',

  problem: {
    title: 'Không tải được số liệu',
    unreachable: 'Không kết nối được với máy chủ. Kiểm tra đường mạng rồi thử lại.',
    unreadable: (status: string) => `Máy chủ trả lời không đúng dạng (mã ${status}).`,
    keeping: 'Số liệu bên dưới là lần tải gần nhất.',
    retry: 'Thử lại',
    root: 'Về đơn vị gốc',
  },
};

/** What every dictionary of the interface must hold. */
export type Strings = typeof vi;
